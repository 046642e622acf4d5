-- The KPIs of customers: from the view, and live when a period is asked for, when the view has no row of the tenant's
-- present day (midnight was a moment ago), or none at all (the tenant is new). The numbers are the same either way.
with asked as (
  select id as tenant_id, (:'now'::timestamptz at time zone timezone)::date as today
  from public.tenant
  where id in (select unnest(:'tenant_ids'::uuid[]))
),

cached as (
  select asked.tenant_id, total_customers, active_customers, new_customers_this_month, new_customers_previous_month,
         total_lifetime_value, customers_with_packages, customers_with_recent_activity
  from asked
  join customer_kpis_cache on customer_kpis_cache.tenant_id = asked.tenant_id and local_day = today
  where :'dateFrom' = '' and :'dateTo' = ''
),

kpis as (
  select * from cached
  union all
  select live.*
  from (select array(select tenant_id from asked except select tenant_id from cached) as ids) others
  cross join lateral customers.live_kpis(
    ids, :'now'::timestamptz, nullif(:'dateFrom', '')::date, nullif(:'dateTo', '')::date
  ) live
  where ids <> '{}'
)

select tenant_id,
       customers.kpi_json(
         total_customers, active_customers, new_customers_this_month, new_customers_previous_month,
         total_lifetime_value, customers_with_packages, customers_with_recent_activity) as data
from kpis
