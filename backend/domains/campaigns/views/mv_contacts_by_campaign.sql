-- As mv_contacts, for each campaign by itself. In the order of its columns, as `mv_daily_stats`.
select workspace_id, campaign_name collate "default" as campaign_name, day,
       count(*)::integer as contacts, array_agg(previous_day order by previous_day) as previous_days
from (
  select workspace_id, campaign_name, day,
         coalesce(lag(day) over (partition by workspace_id, campaign_name, contact order by day), '-infinity') as previous_day
  from (
    select distinct event.workspace_id,
           coalesce(nullif(event.campaign_name, ''), 'Unknown') collate "C" as campaign_name,
           lower(event.contact_email) collate "C" as contact,
           (event.event_ts at time zone tenant.timezone)::date as day
    from campaigns.email_events event
    join public.tenant on tenant.id = event.workspace_id
    where event.is_test is not true
  ) days_of_contact
) seen
group by workspace_id, campaign_name, day
