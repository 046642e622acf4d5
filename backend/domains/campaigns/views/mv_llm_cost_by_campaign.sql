-- As mv_llm_cost, for each campaign by itself.
select usage.workspace_id,
       coalesce(nullif(usage.campaign_name, ''), 'Unknown') as campaign_name,
       coalesce(nullif(usage.provider, ''), 'unknown') as provider,
       coalesce(nullif(usage.model, ''), 'unknown') as model,
       (usage.created_at at time zone tenant.timezone)::date as day,
       sum(usage.cost_usd) as total_cost,
       coalesce(sum(usage.tokens_in), 0) as total_tokens_in,
       coalesce(sum(usage.tokens_out), 0) as total_tokens_out,
       count(*)::integer as call_count
from campaigns.llm_usage usage
join public.tenant on tenant.id = usage.workspace_id
group by 1, 2, 3, 4, 5
