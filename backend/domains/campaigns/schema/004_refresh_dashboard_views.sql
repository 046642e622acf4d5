-- Refreshes by hand what the dashboard is made of, and says of each view how it went: `refreshed`, `skipped` while somebody else
-- is at it, or `failed`, which leaves the others as they are.
create function refresh_dashboard_views()
returns table (view_name text, status text, refreshed_at timestamptz) language plpgsql as $$
begin
  return query
  select refreshed.view_name, refreshed.status, refreshed.refreshed_at
  from public.refresh_views(array[
    'mv_daily_stats', 'mv_llm_cost', 'mv_llm_cost_by_campaign', 'mv_step_sends',
    'mv_contacts', 'mv_contacts_by_campaign', 'mv_leads'
  ]) refreshed;
end
$$;
