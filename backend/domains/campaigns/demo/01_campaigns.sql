insert into campaigns.campaigns (workspace_id, id, name, status, created_at, updated_at)
select workspace_id, campaigns.demo_id(workspace_id, 'campaign', number), campaigns.demo_campaign(number),
       (array['active', 'active', 'active', 'completed', 'paused'])[1 + number % 5],
       :'now'::timestamptz - interval '130 days', :'now'::timestamptz - interval '130 days'
from unnest(:'tenant_ids'::uuid[]) workspace_id
cross join generate_series(0, 4) number
on conflict do nothing;
