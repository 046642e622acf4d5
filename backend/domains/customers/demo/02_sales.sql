-- Three rows in five. They are made before the customers, whose totals come from them; one in eight was sold to somebody
-- who passed by, one in forty is voided, and a receipt has two items at times.
insert into customers.sales
  (tenant_id, id, date, receipt_number, customer_id, product_name, product_category, item_cnt, sales_total, sales_net,
   gross_profit, is_voided, payment_method, sales_timestamp)
select tenant_id, id, date, 'R-' || lpad((number - number % 5 / 4)::text, 6, '0'),
       case when receipt_dice % 8 > 0 then customers.demo_id(tenant_id, 'customer', customer_number) end,
       product, category, 1 + dice3 % 3, price, price, round(price * 0.6, 2), dice2 % 40 = 0,
       (array['Cash', 'Card', 'Card', 'QR'])[1 + dice3 % 4],
       date + interval '3 hours' + dice4 % 600 * interval '1 minute'
from customers.demo_rows(:'tenant_ids'::uuid[], 'sale', :'rows'::integer * 60 / 100, :'now'::timestamptz)
cross join lateral (
  select ('x' || substr(md5(tenant_id || 'receipt' || (number - number % 5 / 4)), 1, 7))::bit(28)::integer as receipt_dice
) receipt
cross join lateral (
  select 1 + receipt_dice / 8 % greatest(:'rows'::integer * 25 / 100, 1) as customer_number
) buyer
cross join lateral (
  select today - 1 - receipt_dice / 1024 % customers.demo_age(tenant_id, customer_number) as date,
         (array['Bay, 1 hour', 'Bay, 2 hours', 'Lesson', 'Coffee', 'Iced tea', 'Glove'])[1 + dice1 % 6] as product,
         (array['Bay', 'Bay', 'Lesson', 'Drinks', 'Drinks', 'Shop'])[1 + dice1 % 6] as category,
         (array[700, 1300, 1800, 90, 80, 650])[1 + dice1 % 6]::numeric as price
) sold
on conflict do nothing;
