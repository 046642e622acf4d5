-- Three rows in four. A sequence is four mails to one lead; ten mails have 25 events, a few of which are spelled in
-- capitals, and one sequence in twenty is a test. What would lie in the future happened 120 days before.
insert into campaigns.email_events
  (workspace_id, id, contact_id, contact_email, campaign_name, step, email_number, event_type,
   provider, provider_message_id, event_ts, subject, is_test, created_at)
select workspace_id, campaigns.demo_id(workspace_id, 'event', number),
       campaigns.demo_id(workspace_id, 'lead', lead),
       case when number % 11 = 0 then upper(email) else email end,
       campaigns.demo_campaign(sequence[2]),
       case when number % 3 > 0 then step end, case when number % 3 < 2 then step end,
       case
         when event_type = 'delivered' and sequence[1] % 29 = 0 then 'bounced'
         when event_type = 'replied' and sequence[2] % 6 = 0 then 'opt_out'
         else event_type
       end,
       (array['google', 'outlook'])[1 + lead % 2], 'mail-' || mail,
       happened, 'Mail ' || step || ' to ' || initcap(split_part(email, '.', 1)), sequence[3] % 20 = 0, happened
from unnest(:'tenant_ids'::uuid[]) workspace_id
cross join generate_series(0, :'rows'::bigint * 75 / 100 - 1) number
cross join lateral (
  select number / 25 * 10 + (array[0,1,2,3,4,5,6,7,8,9, 0,1,2,3,4,5,6,7,8,9, 0,3,6, 0, 3])[1 + number % 25] as mail,
         (array['sent', 'delivered', 'opened', 'clicked', 'replied'])[
           (array[1,1,1,1,1,1,1,1,1,1, 2,2,2,2,2,2,2,2,2,2, 3,3,3, 4, 5])[1 + number % 25]] as event_type
  offset 0
) numbered
cross join lateral (
  select campaigns.demo_dice(workspace_id, 'sequence', mail / 4) as sequence,
         campaigns.demo_dice(workspace_id, 'event', number) as dice,
         1 + mail % 4 as step
  offset 0
) thrown
cross join lateral (
  select 1 + sequence[1] % greatest(:'rows'::bigint / 10, 1) as lead,
         campaigns.demo_time(sequence[4], :'now'::timestamptz)
           + (array[0, 3, 7, 14])[step] * interval '1 day'
           + case when event_type in ('opened', 'clicked', 'replied')
               then dice[1] % 2880 * interval '1 minute' else mail % 40 * interval '1 second' end as planned
  offset 0
) dated
cross join lateral (
  select campaigns.demo_email(lead) as email,
         planned - case when planned > :'now'::timestamptz then interval '120 days' else interval '0' end as happened
  offset 0
) settled
on conflict do nothing;
