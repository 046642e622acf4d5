-- Whether a record may be shown. The planner puts the body in place of the call, and where nothing is
-- restricted only `true` is left of it.
--   visible_to     a user's id, or empty: only his records, those of his teams, and those that nobody owns
--   visible_teams  the ids of his teams
--   only_team      a team's id, or empty
--   only_person    a user's id, or empty
create function is_in_scope(
  assigned_to uuid, assigned_to_team uuid,
  visible_to text, visible_teams uuid[], only_team text, only_person text
) returns boolean language sql immutable parallel safe as $$
  select (visible_to = ''
          or assigned_to = visible_to::uuid
          or assigned_to_team = any (visible_teams)
          or (assigned_to is null and assigned_to_team is null))
     and (only_team = '' or assigned_to_team = only_team::uuid)
     and (only_person = '' or assigned_to = only_person::uuid)
$$;
