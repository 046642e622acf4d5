-- What the calls of each model cost on one day of the workspace.
select usage.workspace_id,
       coalesce(nullif(usage.provider, ''), 'unknown') as provider,
       coalesce(nullif(usage.model, ''), 'unknown') as model,
       (usage.created_at at time zone tenant.timezone)::date as day,
       sum(usage.cost_usd) as total_cost,
       coalesce(sum(usage.tokens_in), 0) as total_tokens_in,
       coalesce(sum(usage.tokens_out), 0) as total_tokens_out,
       count(*)::integer as call_count,
       round(avg(usage.cost_usd), 6) as avg_cost_per_call,
       count(distinct usage.campaign_name)::integer as campaigns_used
from campaigns.llm_usage usage
join public.tenant on tenant.id = usage.workspace_id
group by 1, 4, 2, 3
