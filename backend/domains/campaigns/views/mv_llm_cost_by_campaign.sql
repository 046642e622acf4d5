-- What writing the mails of one campaign cost on one day of its workspace, in all and by the kind of model; the arrays belong together.
select workspace_id, day, campaign_name collate "default" as campaign_name,
       sum(cost) as total_cost,
       array_agg(provider order by provider, model) as providers,
       array_agg(model order by provider, model) as models,
       array_agg(cost order by provider, model) as costs,
       array_agg(tokens_in order by provider, model) as tokens_in,
       array_agg(tokens_out order by provider, model) as tokens_out,
       array_agg(calls order by provider, model) as calls
from (
  select usage.workspace_id,
         (usage.created_at at time zone tenant.timezone)::date as day,
         coalesce(nullif(usage.campaign_name, ''), 'Unknown') collate "C" as campaign_name,
         coalesce(nullif(usage.provider, ''), 'unknown') as provider,
         coalesce(nullif(usage.model, ''), 'unknown') as model,
         sum(usage.cost_usd) as cost,
         coalesce(sum(usage.tokens_in), 0) as tokens_in,
         coalesce(sum(usage.tokens_out), 0) as tokens_out,
         count(*)::integer as calls
  from campaigns.llm_usage usage
  join public.tenant on tenant.id = usage.workspace_id
  group by 1, 2, 3, 4, 5
) of_model
group by workspace_id, day, campaign_name
