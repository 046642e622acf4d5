-- One row in ten. One in six does not expire; of the others, which are good for half a year, some expire today.
insert into customers.packages
  (tenant_id, id, customer_id, customer_name, package_type_id, purchase_date, first_use_date, expiration_date,
   employee_name, created_at)
select tenant_id, id,
       customers.demo_id(tenant_id, 'customer', 1 + dice2 % greatest(:'rows'::integer * 25 / 100, 1)), null,
       customers.demo_id(tenant_id, 'package type', 1 + dice3 % 4),
       bought, case when dice1 % 4 > 0 then least(bought + (dice4 / 1024 % 30)::integer, today - 1) end,
       case when dice1 % 6 > 0 then bought + 180 end,
       (array['Dolly', 'Net', 'May'])[1 + dice4 % 3], bought + interval '10 hours'
from customers.demo_rows(:'tenant_ids'::uuid[], 'package', :'rows'::integer * 10 / 100, :'now'::timestamptz)
cross join lateral (
  select today - case when number % 8 = 0 then 180 else 1 + (dice4 % 360)::integer end as bought
) purchased
on conflict do nothing;
