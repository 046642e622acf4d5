-- One page of the customers, how many there are, and on the first page, unless something is searched, the KPIs.
-- What is told of a customer's packages and sales is looked up for those on the page only.
with asked as (
  select id as tenant_id, (:'now'::timestamptz at time zone timezone)::date as today
  from public.tenant
  where id in (select unnest(:'tenant_ids'::uuid[]))
),

page as (
  select coalesce(nullif(:'page', '')::bigint, 1) as number,
         coalesce(nullif(:'limit', '')::bigint, 50) as size
),

-- As in customer_kpis.sql.
cached as (
  select asked.tenant_id, total_customers, active_customers, new_customers_this_month, new_customers_previous_month,
         total_lifetime_value, customers_with_packages, customers_with_recent_activity
  from asked
  join customer_kpis_cache on customer_kpis_cache.tenant_id = asked.tenant_id and local_day = today
  where :'search' = '' and :'page' in ('', '1')
),

kpis as (
  select * from cached
  union all
  select live.*
  from (
    select array(
      select tenant_id from asked where :'search' = '' and :'page' in ('', '1')
      except select tenant_id from cached
    ) as ids
  ) others
  cross join lateral customers.live_kpis(ids, :'now'::timestamptz, null, null) live
  where ids <> '{}'
)

select asked.tenant_id, row_to_json(answer) as data
from asked
cross join page

cross join lateral (
  select count(*) as total
  from customers.customers customer
  where tenant_id = asked.tenant_id
    and customers.is_listed(customer, :'search', :'isActive', :'registrationDateFrom', :'registrationDateTo',
                            :'lastVisitFrom', :'lastVisitTo', :'preferredContactMethod')
) counted

-- What is not asked for is null in every row, and the planner leaves it out of the order; so the page that most people
-- want is read off an index. Codes of more digits come after shorter ones: CUS-1000 after CUS-999.
cross join lateral (
  select coalesce(json_agg(item order by place), '[]') as customers
  from (
    select *, row_number() over () as place
    from (
      select *
      from customers.customers customer
      where tenant_id = asked.tenant_id
        and customers.is_listed(customer, :'search', :'isActive', :'registrationDateFrom', :'registrationDateTo',
                                :'lastVisitFrom', :'lastVisitTo', :'preferredContactMethod')
      order by
        case :'sortOrder' when 'desc' then -1 else 1 end
          * case :'sortBy'
              when 'registrationDate' then extract(epoch from customer_create_date)
              when 'lastVisit' then extract(epoch from last_visit_date)
              when 'lifetimeValue' then total_lifetime_value
              when 'customerCode' then length(customer_code)
            end nulls last,
        case when :'sortOrder' <> 'desc' then
          case :'sortBy' when 'customerCode' then customer_code else lower(customer_name) end
        end collate "C",
        case when :'sortOrder' = 'desc' then
          case :'sortBy' when 'customerCode' then customer_code else lower(customer_name) end
        end collate "C" desc,
        id
      limit coalesce(nullif(:'limit', ''), '50')::bigint
      offset (coalesce(nullif(:'page', ''), '1')::bigint - 1) * coalesce(nullif(:'limit', ''), '50')::bigint
    ) ordered
  ) listed
  cross join lateral (
    select count(*) as total_packages,
           count(*) filter (where expiration_date >= today or expiration_date is null) as active_packages
    from customers.packages
    where tenant_id = asked.tenant_id and customer_id = listed.id
  ) packages
  cross join lateral (
    select min(date) as first_purchase_date,
           max(date) as last_purchase_date,
           count(distinct receipt_number) as transaction_count,
           round(sum(sales_net) / nullif(count(distinct receipt_number), 0), 2) as average_transaction_value
    from customers.sales
    where tenant_id = asked.tenant_id and customer_id = listed.id and not is_voided
  ) sales
  cross join lateral (
    select listed.id, listed.customer_code, listed.customer_name, listed.contact_number, listed.email,
           listed.preferred_contact_method, listed.customer_create_date, listed.is_active,
           listed.total_lifetime_value as lifetime_spending,
           listed.total_visits as total_bookings,
           listed.last_visit_date,
           case
             when listed.last_visit_date >= today - 90 then 'Active'
             when listed.last_visit_date >= today - 365 then 'Inactive'
             when listed.last_visit_date is not null then 'Dormant'
             else 'New'
           end as customer_status,
           active_packages, total_packages,
           first_purchase_date, last_purchase_date, transaction_count,
           coalesce(average_transaction_value, 0) as average_transaction_value
  ) item
) shown

cross join lateral (
  select total, (total + size - 1) / size as pages, number as current, size as limit
) pagination

left join kpis on kpis.tenant_id = asked.tenant_id
cross join lateral (
  select case
    when kpis.tenant_id is null then '{}'
    else customers.kpi_json(
      total_customers, active_customers, new_customers_this_month, new_customers_previous_month,
      total_lifetime_value, customers_with_packages, customers_with_recent_activity)
  end as kpis
) first_page

cross join lateral (select shown.customers, pagination, first_page.kpis) answer
