-- Who was in touch with a workspace on one day, told by the day on which each of them was before: distinct contacts of several
-- days cannot be added up, but those who were not there since the first of the days can.
-- So the distinct contacts of any range of days are sum(width_bucket(FIRST_DAY - 1, previous_days)).
select workspace_id, day, count(*)::integer as contacts, array_agg(previous_day order by previous_day) as previous_days
from (
  select workspace_id, day,
         coalesce(lag(day) over (partition by workspace_id, contact order by day), '-infinity') as previous_day
  -- In the order that the window needs, so that there is one sort for both.
  from (
    select distinct event.workspace_id, lower(event.contact_email) collate "C" as contact,
           (event.event_ts at time zone tenant.timezone)::date as day
    from campaigns.email_events event
    join public.tenant on tenant.id = event.workspace_id
    where event.is_test is not true
  ) days_of_contact
) seen
group by workspace_id, day
