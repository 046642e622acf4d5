-- What became of the mails of one campaign on one day of its workspace. A day is that of the event, in the workspace's own zone.
--
-- Rows come out in the order of their columns: a refresh sorts them by their bytes, twice, to look for duplicates.
select workspace_id, day, campaign_name collate "default" as campaign_name,
       sum(sends)::integer as sends, sum(delivered)::integer as delivered,
       sum(opens)::integer as opens, sum(clicks)::integer as clicks, sum(replies)::integer as replies,
       sum(bounces)::integer as bounces, sum(opt_outs)::integer as opt_outs,
       count(*)::integer as unique_contacts,
       sum(email_1_sends)::integer as email_1_sends,
       sum(email_2_sends)::integer as email_2_sends,
       sum(email_3_sends)::integer as email_3_sends
-- One row per contact first: sorting once is faster than keeping the distinct ones of every day.
from (
  select event.workspace_id,
         (event.event_ts at time zone tenant.timezone)::date as day,
         coalesce(nullif(event.campaign_name, ''), 'Unknown') collate "C" as campaign_name,
         count(*) filter (where event_type = 'sent') as sends,
         count(*) filter (where event_type = 'delivered') as delivered,
         count(*) filter (where event_type = 'opened') as opens,
         count(*) filter (where event_type = 'clicked') as clicks,
         count(*) filter (where event_type = 'replied') as replies,
         count(*) filter (where event_type = 'bounced') as bounces,
         count(*) filter (where event_type = 'opt_out') as opt_outs,
         count(*) filter (where event_type = 'sent' and coalesce(step, email_number, 1) = 1) as email_1_sends,
         count(*) filter (where event_type = 'sent' and coalesce(step, email_number, 1) = 2) as email_2_sends,
         count(*) filter (where event_type = 'sent' and coalesce(step, email_number, 1) = 3) as email_3_sends
  from campaigns.email_events event
  join public.tenant on tenant.id = event.workspace_id
  where event.is_test is not true
  group by 1, 2, 3, lower(event.contact_email) collate "C"
) of_contact
group by workspace_id, day, campaign_name
