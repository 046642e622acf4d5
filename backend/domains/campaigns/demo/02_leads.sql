-- One row in ten.
insert into campaigns.leads (workspace_id, id, email, company, campaign_name, is_test, created_at)
select workspace_id, campaigns.demo_id(workspace_id, 'lead', number), email,
       initcap(split_part(split_part(email, '@', 2), '.', 1)),
       case when dice[1] % 8 > 0 then campaigns.demo_campaign(dice[2]) end,
       dice[3] % 20 = 0,
       :'now'::timestamptz - interval '125 days'
from unnest(:'tenant_ids'::uuid[]) workspace_id
cross join generate_series(1, :'rows'::bigint / 10) number
cross join lateral (
  select campaigns.demo_email(number) as email, campaigns.demo_dice(workspace_id, 'lead', number) as dice offset 0
) thrown
on conflict do nothing;
