-- One row in four. What a customer spent, how often he came and when last is what the sales say.
insert into customers.customers
  (tenant_id, id, customer_code, customer_name, contact_number, email, date_of_birth, total_lifetime_value, total_visits,
   last_visit_date, preferred_contact_method, customer_create_date, is_active, created_at, updated_at)
select tenant_id, id, 'CUS-' || lpad(number::text, greatest(3, length(number::text)), '0'),
       first_name || ' ' || last_name,
       case when dice1 % 10 > 0 then '0' || 8 + dice1 % 2 || '-555-' || lpad((dice2 % 10000)::text, 4, '0') end,
       case when dice1 % 3 > 0 or dice1 % 10 = 0
         then lower(first_name || '.' || last_name) || dice3 % 100 || '@mail.example'
       end,
       today - 7000 - (dice4 % 15000)::integer,
       coalesce(spent, 0), coalesce(visits, 0), last_visit,
       (array['Phone', 'LINE', 'LINE', 'Email', null])[1 + dice2 % 5],
       registered, dice3 % 12 > 0, registered + interval '9 hours', registered + interval '9 hours'
from customers.demo_rows(:'tenant_ids'::uuid[], 'customer', :'rows'::integer * 25 / 100, :'now'::timestamptz) made
cross join lateral (
  select (array['Anong', 'Ben', 'Chloe', 'Daniel', 'Elena', 'Farid', 'Grace', 'Hugo', 'Ines', 'Jonas', 'Kanya', 'Liam',
                'Mei', 'Niran', 'Olga', 'Priya'])[1 + dice2 % 16] as first_name,
         (array['Adler', 'Boonmee', 'Costa', 'Dubois', 'Eriksen', 'Fischer', 'Gupta', 'Hansen', 'Ito', 'Jensen', 'Khan',
                'Lopez', 'Moreau', 'Novak', 'Okafor', 'Phasuk', 'Rossi'])[1 + dice3 % 17] as last_name
) called
cross join lateral (
  select sum(sales_net) as spent, count(distinct date) as visits, max(date) as last_visit
  from customers.sales sale
  where sale.tenant_id = made.tenant_id and sale.customer_id = made.id and not is_voided
) sales
cross join lateral (select today - customers.demo_age(tenant_id, number) as registered) born
on conflict do nothing;
