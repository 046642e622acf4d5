-- The KPIs from the tables themselves, and their JSON. The view counts the same for the case without a period. The hash
-- of a report does not know these functions: who changes one gives it a new name, and so also changes the reports.

-- One row per tenant, on the tenant's own day at the instant `at`.
--
-- Counted are active customers only, everywhere, so that no number is greater than total_customers. Recent activity is a
-- visit or a sale; updated_at says nothing, since a bulk update touches every row.
--
-- Without dates: all customers; new in this calendar month, and in the one before; active in the last 90 days, recently
-- in the last 30; packages that can be used today, which those that expire today can. With dates, both of them included,
-- all numbers are about this period: customers registered until its end; new in it, and in the equally long period
-- before it; active and recently active in it; packages that could be used on some day of it. Without date_from
-- it has no beginning (and nothing before it), without date_to it ends today.
create function live_kpis(tenant_ids uuid[], at timestamptz, date_from date, date_to date)
returns table (
  tenant_id uuid, total_customers bigint, active_customers bigint, new_customers_this_month bigint,
  new_customers_previous_month bigint, total_lifetime_value numeric, customers_with_packages bigint,
  customers_with_recent_activity bigint
)
language sql stable parallel safe rows 100 as $$
  select frame.tenant_id, total_customers, active_customers, new_customers_this_month,
         new_customers_previous_month, total_lifetime_value, customers_with_packages,
         customers_with_recent_activity
  from (
    select id as tenant_id,
           coalesce(date_to, case when date_from is null then 'infinity' else today end) as until,
           coalesce(since, month_start) as new_since,
           coalesce(since, today - 90) as active_since,
           coalesce(since, today - 30) as recent_since,
           coalesce(since, today) as usable_since,
           case
             when since is null then (month_start - interval '1 month')::date
             when since = '-infinity' then since
             else since - (coalesce(date_to, today) - since + 1)
           end as previous_since
    from public.tenant
    cross join lateral (select (at at time zone timezone)::date as today) local
    cross join lateral (
      select date_trunc('month', today)::date as month_start,
             coalesce(date_from, case when date_to is not null then '-infinity'::date end) as since
    ) period
    where id = any (tenant_ids)
    offset 0
  ) frame
  cross join lateral (
    select count(*) as total_customers,
           count(*) filter (where last_visit_date between active_since and until) as active_customers,
           count(*) filter (where customer_create_date >= new_since) as new_customers_this_month,
           count(*) filter (where customer_create_date >= previous_since and customer_create_date < new_since)
             as new_customers_previous_month,
           coalesce(sum(customer.total_lifetime_value), 0) as total_lifetime_value,
           count(*) filter (where customer.id in (
             select package.customer_id from customers.packages package
             where package.tenant_id = frame.tenant_id and package.customer_id is not null
               and (expiration_date >= usable_since or expiration_date is null)
               and purchase_date <= until
           )) as customers_with_packages,
           count(*) filter (where last_visit_date between recent_since and until or customer.id in (
             select sale.customer_id from customers.sales sale
             where sale.tenant_id = frame.tenant_id and sale.customer_id is not null
               and date between recent_since and until
               and not is_voided
           )) as customers_with_recent_activity
    from customers.customers customer
    where customer.tenant_id = frame.tenant_id and is_active and customer_create_date <= until
  ) counted
$$;

-- The nine numbers under the names of the API. What is null (a sum over no tenant) is zero.
create function kpi_json(
  total bigint, active bigint, new_this_month bigint, new_previous_month bigint,
  lifetime_value numeric, with_packages bigint, with_recent_activity bigint
) returns json language sql stable parallel safe as $$
  select json_build_object(
    'totalCustomers', coalesce(total, 0),
    'activeCustomers', coalesce(active, 0),
    'newCustomersThisMonth', coalesce(new_this_month, 0),
    'newCustomersPreviousMonth', coalesce(new_previous_month, 0),
    'growthRate', coalesce(round((new_this_month - new_previous_month) * 100.0 / nullif(new_previous_month, 0), 2), 0),
    'totalLifetimeValue', coalesce(lifetime_value, 0),
    'averageLifetimeValue', coalesce(round(lifetime_value / nullif(total, 0), 2), 0),
    'customersWithPackages', coalesce(with_packages, 0),
    'customersWithRecentActivity', coalesce(with_recent_activity, 0)
  )
$$;

-- Live, of one tenant, or of all active ones together. Null for a tenant that is not there.
create function get_customer_kpis(date_from date default null, date_to date default null, tenant_id uuid default null)
returns json language sql stable parallel safe as $$
  select customers.kpi_json(
    sum(total_customers)::bigint, sum(active_customers)::bigint, sum(new_customers_this_month)::bigint,
    sum(new_customers_previous_month)::bigint, sum(total_lifetime_value), sum(customers_with_packages)::bigint,
    sum(customers_with_recent_activity)::bigint)
  from customers.live_kpis(
    array(
      select id from public.tenant
      where is_active and (id = get_customer_kpis.tenant_id or get_customer_kpis.tenant_id is null)
    ),
    now(), date_from, date_to
  )
  having count(*) > 0 or get_customer_kpis.tenant_id is null
$$;

-- From the view as it is, without a look at how old it is. In PL/pgSQL, because the view is made after this.
create function get_customer_kpis_cached(tenant_id uuid default null)
returns json language plpgsql stable as $$
begin
  return (
    select customers.kpi_json(
      sum(total_customers)::bigint, sum(active_customers)::bigint, sum(new_customers_this_month)::bigint,
      sum(new_customers_previous_month)::bigint, sum(total_lifetime_value), sum(customers_with_packages)::bigint,
      sum(customers_with_recent_activity)::bigint)
    from customers.customer_kpis_cache cached
    where cached.tenant_id = get_customer_kpis_cached.tenant_id or get_customer_kpis_cached.tenant_id is null
    having count(*) > 0 or get_customer_kpis_cached.tenant_id is null
  );
end
$$;
