-- One row in twenty.
insert into crm.accounts
  (tenant_id, id, name, industry, website, annual_revenue, employee_count, health_status,
   assigned_to, assigned_to_team, is_test_data, created_date, created_at, updated_at)
select tenant_id, id, name,
       (array['Software', 'Retail', 'Healthcare', 'Manufacturing', 'Logistics', 'Finance'])[1 + dice2 % 6],
       'https://' || lower(replace(name, ' ', '-')) || '.example',
       (50 + dice2 % 9000) * 1000,
       5 + dice3 % 2000,
       (array['healthy', 'healthy', 'at_risk', 'unknown'])[1 + dice3 % 4],
       assigned_to, assigned_to_team, is_test_data, created_date, created_at, created_at
from crm.demo_rows(:'tenant_ids'::uuid[], 'account', :'rows'::integer * 5 / 100, :'now'::timestamptz)
cross join lateral (
  select concat_ws(' ',
    (array['Alder', 'Birch', 'Cobalt', 'Delta', 'Ember', 'Fjord', 'Granite', 'Harbor', 'Indigo', 'Juniper',
           'Kestrel', 'Lumen', 'Mosaic', 'Nimbus', 'Orchard', 'Pioneer'])[1 + dice2 % 16],
    (array['Systems', 'Foods', 'Logistics', 'Health', 'Works', 'Partners', 'Labs'])[1 + dice3 % 7]) as name
) called
on conflict do nothing;
