-- Four kinds of packages in each tenant.
insert into customers.package_types (tenant_id, id, name, duration_hours, price)
select tenant.id, customers.demo_id(tenant.id, 'package type', type.number), type.name, type.hours, type.price
from unnest(:'tenant_ids'::uuid[]) tenant (id)
cross join (
  values (1, 'Trial', 2, 900), (2, 'Bronze', 5, 4000), (3, 'Silver', 15, 10500), (4, 'Unlimited', null, 24000)
) type (number, name, hours, price)
on conflict do nothing;
