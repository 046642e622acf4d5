-- One row in four. Statuses and sources are as untidy as in life.
insert into crm.leads
  (tenant_id, id, first_name, last_name, company, email, phone, status, source, score, estimated_value,
   assigned_to, assigned_to_team, is_test_data, created_date, created_at, updated_at)
select tenant_id, id, first_name, last_name, company,
       lower(first_name || '.' || last_name || '@' || split_part(company, ' ', 1)) || '.example',
       '+1-555-' || lpad((dice2 % 10000)::text, 4, '0'),
       (array['new', 'new', 'new', 'New', 'contacted', 'contacted', 'qualified', 'qualified', 'nurturing',
              'converted', 'converted', 'Converted', 'lost', 'lost', null])[1 + dice1 / 16 % 15],
       (array['website', 'website', 'website', 'referral', 'referral', 'linkedin', 'cold_call', 'email_campaign',
              'trade_show', 'partner', null, ''])[1 + dice2 / 16 % 12],
       dice3 % 101,
       case when dice3 % 4 > 0 then (dice2 % 500) * 100 end,
       assigned_to, assigned_to_team, is_test_data, created_date, created_at, created_at
from crm.demo_rows(:'tenant_ids'::uuid[], 'lead', :'rows'::integer * 25 / 100, :'now'::timestamptz)
cross join lateral (
  select (array['Amir', 'Bianca', 'Carlos', 'Dora', 'Emil', 'Fatima', 'Gita', 'Henrik', 'Irene', 'Jack', 'Keiko', 'Lars',
                'Maria', 'Nadia', 'Omar', 'Paula'])[1 + dice2 % 16] as first_name,
         (array['Abbott', 'Bauer', 'Clark', 'Diaz', 'Evans', 'Ferrari', 'Green', 'Haas', 'Ivanov', 'Jones', 'Kim',
                'Larsen', 'Meyer', 'Nguyen', 'Olsen', 'Patel', 'Quinn'])[1 + dice3 % 17] as last_name,
         concat_ws(' ',
           (array['Acorn', 'Beacon', 'Cedar', 'Dune', 'Echo', 'Falcon', 'Glacier', 'Horizon', 'Iris'])[1 + dice2 % 9],
           (array['Trading', 'Media', 'Energy', 'Robotics', 'Travel'])[1 + dice3 % 5]) as company
) called
on conflict do nothing;
