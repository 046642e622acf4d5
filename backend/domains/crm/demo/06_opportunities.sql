-- Twelve rows in a hundred. Stages come in their six names and in older spellings.
insert into crm.opportunities
  (tenant_id, id, name, amount, stage, probability, expected_revenue, close_date, account_id, source,
   assigned_to, assigned_to_team, is_test_data, created_date, created_at, updated_at)
select tenant_id, id, name, amount, stage, probability,
       round(amount * probability / 100, 2),
       (created_at + (30 + dice3 % 90) * interval '1 day')::date,
       crm.demo_id(tenant_id, 'account', 1 + dice3 % greatest(:'rows'::integer * 5 / 100, 1)),
       (array['website', 'referral', 'partner', null])[1 + dice2 % 4],
       assigned_to, assigned_to_team, is_test_data, created_date, created_at,
       created_at + dice3 / 4294967296::double precision * (:'now'::timestamptz - created_at)
from crm.demo_rows(:'tenant_ids'::uuid[], 'opportunity', :'rows'::integer * 12 / 100, :'now'::timestamptz)
cross join lateral (
  select (array['Platform licence', 'Support contract', 'Pilot project', 'Renewal', 'Expansion', 'Training'])[1 + dice2 % 6]
           || ' ' || (array['Q1', 'Q2', 'Q3', 'Q4'])[1 + dice3 % 4] as name,
         (array['prospecting', 'prospecting', 'prospecting', 'qualification', 'qualification', 'Proposal', 'proposal',
                'negotiation', 'closed_won', 'closed_won', 'closed_lost', 'closed_lost', 'won', 'Closed Won', 'lost',
                null])[1 + dice1 / 16 % 16] as stage,
         case when dice2 % 40 > 0 then round(500 + (dice3 % 1000) * (dice3 % 1000) * 0.0783, 2) end as amount,
         (10 * (dice2 % 11))::integer as probability
) offered
on conflict do nothing;
