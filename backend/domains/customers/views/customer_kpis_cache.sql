-- The KPIs of every active tenant, as live_kpis of schema/003_kpis.sql counts them without a period.
--
-- Days are the tenant's own, and local_day says which one it was: on another day the reports do not use the row. `now()`
-- is here on purpose: what is counted depends on it, and last_updated is what people read in psql.
select tenant.id as tenant_id,
       today as local_day,
       total_customers,
       active_customers,
       new_customers_this_month,
       new_customers_previous_month,
       coalesce(
         round((new_customers_this_month - new_customers_previous_month) * 100.0
               / nullif(new_customers_previous_month, 0), 2),
         0) as growth_rate,
       total_lifetime_value,
       coalesce(round(total_lifetime_value / nullif(total_customers, 0), 2), 0) as average_lifetime_value,
       customers_with_packages,
       customers_with_recent_activity,
       now() as last_updated
from public.tenant tenant
cross join lateral (select (now() at time zone tenant.timezone)::date as today offset 0) local
cross join lateral (select date_trunc('month', today)::date as month_start offset 0) calendar
cross join lateral (
  select count(*) as total_customers,
         count(*) filter (where last_visit_date >= today - 90) as active_customers,
         count(*) filter (where customer_create_date >= month_start) as new_customers_this_month,
         count(*) filter (
           where customer_create_date >= month_start - interval '1 month' and customer_create_date < month_start
         ) as new_customers_previous_month,
         coalesce(sum(customer.total_lifetime_value), 0) as total_lifetime_value,
         count(*) filter (where customer.id in (
           select package.customer_id from customers.packages package
           where package.tenant_id = tenant.id and package.customer_id is not null
             and (expiration_date >= today or expiration_date is null)
         )) as customers_with_packages,
         count(*) filter (where last_visit_date >= today - 30 or customer.id in (
           select sale.customer_id from customers.sales sale
           where sale.tenant_id = tenant.id and sale.customer_id is not null
             and date >= today - 30
             and not is_voided
         )) as customers_with_recent_activity
  from customers.customers customer
  where customer.tenant_id = tenant.id and customer.is_active
) counted
where tenant.is_active
