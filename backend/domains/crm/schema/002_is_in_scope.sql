-- Whether a record may be shown. The planner puts the body in place of the call, and where nothing is
-- restricted nothing is left of it.
--   visible_to     a user's id, or empty; then only his records, those of his teams, and those that nobody owns
--   visible_teams  the ids of his teams, as an array literal
--   team_id        a team's id, or empty; then only that team's records
--   person_id      a user's id, or empty; then only that person's records
create function is_in_scope(
  assigned_to uuid, assigned_to_team uuid,
  visible_to text, visible_teams text, team_id text, person_id text
) returns boolean language sql stable parallel safe as $$
  select (visible_to = ''
          or assigned_to = visible_to::uuid
          or assigned_to_team = any (visible_teams::uuid[])
          or (assigned_to is null and assigned_to_team is null))
     and (team_id = '' or assigned_to_team = team_id::uuid)
     and (person_id = '' or assigned_to = person_id::uuid)
$$;
