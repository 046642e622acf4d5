-- One row in five.
insert into crm.contacts
  (tenant_id, id, first_name, last_name, email, phone, account_id, status,
   assigned_to, assigned_to_team, is_test_data, created_date, created_at, updated_at)
select tenant_id, id, first_name, last_name,
       lower(first_name || '.' || last_name) || dice3 % 100 || '@mail.example',
       '+1-555-' || lpad((dice2 % 10000)::text, 4, '0'),
       case when dice2 % 5 > 0 then crm.demo_id(tenant_id, 'account', 1 + dice3 % greatest(:'rows'::integer * 5 / 100, 1)) end,
       (array['active', 'active', 'prospect', 'inactive'])[1 + dice3 % 4],
       assigned_to, assigned_to_team, is_test_data, created_date, created_at, created_at
from crm.demo_rows(:'tenant_ids'::uuid[], 'contact', :'rows'::integer * 20 / 100, :'now'::timestamptz)
cross join lateral (
  select (array['Ada', 'Ben', 'Chloe', 'Daniel', 'Elena', 'Farid', 'Grace', 'Hugo', 'Ines', 'Jonas', 'Kavya', 'Liam',
                'Mei', 'Noah', 'Olga', 'Priya'])[1 + dice2 % 16] as first_name,
         (array['Adler', 'Brown', 'Costa', 'Dubois', 'Eriksen', 'Fischer', 'Gupta', 'Hansen', 'Ito', 'Jensen', 'Khan',
                'Lopez', 'Moreau', 'Novak', 'Okafor', 'Park', 'Rossi'])[1 + dice3 % 17] as last_name
) called
on conflict do nothing;
