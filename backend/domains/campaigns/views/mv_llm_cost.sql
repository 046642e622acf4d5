-- What the calls of each model cost on one day of the workspace. In the order of its columns, as `mv_daily_stats`.
select workspace_id, day,
       provider_name collate "default" as provider,
       model_name collate "default" as model,
       sum(cost_usd) as total_cost,
       coalesce(sum(tokens_in), 0) as total_tokens_in,
       coalesce(sum(tokens_out), 0) as total_tokens_out,
       count(*)::integer as call_count,
       round(avg(cost_usd), 6) as avg_cost_per_call,
       count(distinct campaign_name)::integer as campaigns_used
from (
  select usage.workspace_id, usage.cost_usd, usage.tokens_in, usage.tokens_out, usage.campaign_name,
         (usage.created_at at time zone tenant.timezone)::date as day,
         coalesce(nullif(usage.provider, ''), 'unknown') collate "C" as provider_name,
         coalesce(nullif(usage.model, ''), 'unknown') collate "C" as model_name
  from campaigns.llm_usage usage
  join public.tenant on tenant.id = usage.workspace_id
) of_day
group by workspace_id, day, provider_name, model_name
