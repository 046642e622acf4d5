-- One row in twenty.
insert into customers.package_usage (tenant_id, id, package_id, used_hours, used_date)
select rows.tenant_id, rows.id, package.id, 0.5 + dice1 % 4 * 0.5,
       least(first_use_date + (dice2 % 60)::integer, today - 1)
from customers.demo_rows(:'tenant_ids'::uuid[], 'package usage', :'rows'::integer * 5 / 100, :'now'::timestamptz) rows
join customers.packages package
  on package.tenant_id = rows.tenant_id
 and package.id = customers.demo_id(rows.tenant_id, 'package', 1 + dice3 % greatest(:'rows'::integer * 10 / 100, 1))
where first_use_date is not null
on conflict do nothing;
