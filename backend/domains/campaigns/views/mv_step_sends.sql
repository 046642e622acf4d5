-- How many mails of each step of a campaign were sent on one day, and when the last of them was; the arrays belong together.
-- A send without a step is a first mail.
select workspace_id, campaign_name, day,
       array_agg(step order by step) as steps,
       array_agg(sends order by step) as sends,
       array_agg(last_sent_at order by step) as last_sent_at
from (
  select event.workspace_id,
         coalesce(nullif(event.campaign_name, ''), 'Unknown') as campaign_name,
         (event.event_ts at time zone tenant.timezone)::date as day,
         coalesce(event.step, event.email_number, 1) as step,
         count(*)::integer as sends,
         max(event.event_ts) as last_sent_at
  from campaigns.email_events event
  join public.tenant on tenant.id = event.workspace_id
  where event.event_type = 'sent' and event.is_test is not true
  group by 1, 2, 3, 4
) of_step
group by workspace_id, campaign_name, day
