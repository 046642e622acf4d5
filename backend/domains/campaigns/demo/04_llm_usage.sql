-- Three rows in twenty. One in ten does not say for which campaign it was.
insert into campaigns.llm_usage
  (workspace_id, id, provider, model, tokens_in, tokens_out, cost_usd, campaign_name, contact_email, purpose, created_at)
select workspace_id, campaigns.demo_id(workspace_id, 'usage', number), provider, model, tokens_in, tokens_out,
       (tokens_in * price_in + tokens_out * price_out) / 1000000,
       case when dice[1] % 10 > 0 then campaigns.demo_campaign(dice[1] / 16) end,
       campaigns.demo_email(1 + dice[2] % greatest(:'rows'::bigint / 10, 1)),
       (array['research', 'first draft', 'follow-up', 'classify reply'])[1 + dice[2] / 16 % 4],
       campaigns.demo_time(dice[4], :'now'::timestamptz)
from unnest(:'tenant_ids'::uuid[]) workspace_id
cross join generate_series(1, :'rows'::bigint * 15 / 100) number
cross join lateral (select campaigns.demo_dice(workspace_id, 'usage', number) as dice offset 0) thrown
cross join lateral (
  select (array['openai', 'openai', 'openai', 'anthropic', 'bedrock'])[which] as provider,
         (array['gpt-4o', 'o3-mini', 'ft:gpt-4o-mini:outreach:v2', 'claude-3-5-haiku', 'anthropic.claude-3-haiku-20240307-v1:0'])[which] as model,
         (array[2.5, 1.1, 0.3, 0.8, 0.25])[which] as price_in,
         (array[10, 4.4, 1.2, 4, 1.25])[which] as price_out,
         200 + dice[2] % 3000 as tokens_in, 20 + dice[3] / 16 % 600 as tokens_out
  from (select 1 + (dice[3] % 5)::integer as which offset 0) picked
  offset 0
) used
on conflict do nothing;
