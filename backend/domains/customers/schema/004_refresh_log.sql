-- Refreshes the view by hand. Whatever goes wrong is in the row that comes back, not an error, so that it is also in the logs.
create function refresh_customer_kpis_cache()
returns table (view_name text, status text, refreshed_at timestamptz, error text) language plpgsql as $$
begin
  return query
  select refreshed.view_name::text, refreshed.status::text, refreshed.refreshed_at::timestamptz, refreshed.error::text
  from public.refresh_view('customer_kpis_cache') refreshed;
end
$$;

-- Every refresh ends in view_state, whoever asked for it: a schedule, a change, an event, or somebody by hand. So this is
-- where it is logged. A refresh is one transaction, and its start is seen with its end.
create function log_kpi_refresh() returns trigger language plpgsql as $$
declare
  is_success constant boolean := new.consecutive_failures <= old.consecutive_failures;
begin
  insert into public.system_logs (operation, message, error_details, created_at)
  values ('kpi_refresh_start', 'The refresh of customer_kpis_cache began.', null,
          case when is_success then new.last_success_at else now() end);

  if is_success then
    insert into public.system_logs (operation, message, error_details, created_at)
    values ('kpi_refresh_success',
            format('customer_kpis_cache was refreshed: %s tenants in %s ms.', new.row_count, new.last_duration_ms),
            null, clock_timestamp());
  else
    insert into public.system_logs (operation, message, error_details, created_at)
    values ('kpi_refresh_error',
            format('customer_kpis_cache could not be refreshed, %s times in a row.', new.consecutive_failures),
            jsonb_build_object('error', new.last_error), clock_timestamp());
  end if;
  return null;
end
$$;

create trigger log_kpi_refresh after update on public.view_state
for each row
when (
  new.view_name = 'customer_kpis_cache'
  and (new.last_success_at <> old.last_success_at or new.consecutive_failures > old.consecutive_failures)
)
execute function customers.log_kpi_refresh();
