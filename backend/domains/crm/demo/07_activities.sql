-- What is left: about one row in three.
insert into crm.activities
  (tenant_id, id, type, subject, status, priority, due_date, duration_minutes, related_to, related_id,
   assigned_to, assigned_to_team, is_test_data, created_date, created_at, updated_at)
select tenant_id, id, type,
       initcap(type) || ' ' || (array['about the offer', 'about the contract', 'to follow up', 'with the team'])[1 + dice3 % 4],
       (array['scheduled', 'planned', 'in_progress', 'completed', 'completed', 'overdue'])[1 + dice1 / 16 % 6],
       (array['low', 'normal', 'normal', 'high', 'urgent'])[1 + dice2 % 5],
       (created_at + dice2 % 14 * interval '1 day')::date,
       15 + dice3 % 8 * 15,
       'lead', crm.demo_id(tenant_id, 'lead', 1 + dice3 % greatest(:'rows'::integer * 25 / 100, 1)),
       assigned_to, assigned_to_team, is_test_data, created_date, created_at, created_at
from crm.demo_rows(
  :'tenant_ids'::uuid[], 'activity',
  :'rows'::integer - :'rows'::integer * 5 / 100 - :'rows'::integer * 20 / 100 - :'rows'::integer * 25 / 100
    - :'rows'::integer * 12 / 100 - :'rows'::integer * 3 / 100,
  :'now'::timestamptz)
cross join lateral (select (array['call', 'email', 'meeting', 'task', 'note'])[1 + dice2 % 5] as type) kind
on conflict do nothing;
