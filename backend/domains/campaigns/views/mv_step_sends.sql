-- How many mails of each step were sent on one day of the workspace, and when the last of them was: in all, and by campaign in arrays that
-- belong together. A send without a step is a first mail.
select workspace_id, day, step,
       sum(sends)::integer as sends,
       max(last_sent_at) as last_sent_at,
       array_agg(campaign_name order by campaign_name) as campaign_names,
       array_agg(sends order by campaign_name) as campaign_sends,
       array_agg(last_sent_at order by campaign_name) as campaign_last_sent_at
from (
  select event.workspace_id,
         (event.event_ts at time zone tenant.timezone)::date as day,
         coalesce(event.step, event.email_number, 1) as step,
         coalesce(nullif(event.campaign_name, ''), 'Unknown') as campaign_name,
         count(*)::integer as sends,
         max(event.event_ts) as last_sent_at
  from campaigns.email_events event
  join public.tenant on tenant.id = event.workspace_id
  where event.event_type = 'sent' and event.is_test is not true
  group by 1, 2, 3, 4
) of_campaign
group by workspace_id, day, step
