-- The dashboard of one tenant, or of any number of tenants: counts and sums, recent records, and the funnel.
-- Each table is read once per tenant and counted by itself, so that rows never multiply. Both variants come from
-- the same pass: whatever is counted is counted apart for real and for test data.
--
-- Nothing is dropped for being null: a missing status or stage is open, a missing is_test_data is real, and where
-- created_date is missing created_at stands in.
with
asked as (
  select tenant.id, tenant.slug,
         crm.start_of_day(today.date - 30, tenant.timezone) as since,
         crm.start_of_day(today.date + 1, tenant.timezone) as until
  from public.tenant
  cross join lateral (select (:'now'::timestamptz at time zone tenant.timezone)::date as date) today
  where tenant.id = any (:'tenant_ids'::uuid[])
),

-- What one row of the answer is about: one tenant, or all of them merged.
subject as (
  select id as tenant_id, slug as tenant_slug, array[id] as ids, array[since] as sinces, array[until] as untils
  from asked
  where :'merge' <> 'true'
  union all
  select null, null, array_agg(id), array_agg(since), array_agg(until)
  from asked
  where :'merge' = 'true'
  having :'merge' = 'true'
)
select 1;
