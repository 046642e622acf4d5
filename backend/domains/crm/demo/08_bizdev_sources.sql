-- Three rows in a hundred.
insert into crm.bizdev_sources
  (tenant_id, id, source, company_name, status, priority,
   assigned_to, is_test_data, created_date, created_at, updated_at)
select tenant_id, id,
       (array['Trade register', 'Conference list', 'Partner referral', 'Web research'])[1 + dice2 % 4],
       concat_ws(' ',
         (array['Amber', 'Basalt', 'Coral', 'Dahlia', 'Elm', 'Fern'])[1 + dice2 % 6],
         (array['Consulting', 'Imports', 'Design', 'Builders', 'Clinics'])[1 + dice3 % 5]),
       (array['Active', 'Active', 'Contacted', 'Promoted', null])[1 + dice1 / 16 % 5],
       (array['low', 'medium', 'high'])[1 + dice3 % 3],
       assigned_to, is_test_data, created_date, created_at, created_at
from crm.demo_rows(:'tenant_ids'::uuid[], 'bizdev source', :'rows'::integer * 3 / 100, :'now'::timestamptz)
on conflict do nothing;
