-- Nine users in each tenant, three in each team.
insert into crm.team_members
  (tenant_id, id, team_id, employee_id, user_id, role, access_level, created_at, updated_at)
select tenant.id, crm.demo_id(tenant.id, 'team member', number),
       crm.demo_id(tenant.id, 'team', 1 + number % 3),
       crm.demo_id(tenant.id, 'employee', number),
       crm.demo_id(tenant.id, 'user', number),
       case when number < 3 then 'manager' else 'member' end,
       case when number < 3 then 'manage_team' else 'view_own' end,
       joined.at, joined.at
from unnest(:'tenant_ids'::uuid[]) tenant (id)
cross join generate_series(0, 8) number
cross join (select :'now'::timestamptz - interval '1 year' as at) joined
on conflict do nothing;
