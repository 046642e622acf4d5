-- Three teams in each tenant.
insert into crm.teams (tenant_id, id, name, created_at, updated_at)
select tenant.id, crm.demo_id(tenant.id, 'team', team.number), team.name, founded.at, founded.at
from unnest(:'tenant_ids'::uuid[]) tenant (id)
cross join unnest(array['Field Sales', 'Inside Sales', 'Partners']) with ordinality team (name, number)
cross join (select :'now'::timestamptz - interval '1 year' as at) founded
on conflict do nothing;
