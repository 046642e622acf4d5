-- A workspace's mails, what writing them cost, its steps and its campaigns, over a range of its own days and beside the range of
-- equal length before. Everything but the list of campaigns is of the asked campaign, and costs are of the asked provider.
--
-- Every view is read for one workspace at a time and by its plain name, so that a select can stand in the view's place.
-- Without dates it is the last 30 days; without an end it is until today, but no more than 366 days.
select workspace.id as tenant_id,
       json_build_object(
         'summary', json_build_object(
           'sends', sends, 'replies', replies, 'opt_outs', opt_outs, 'bounces', bounces, 'opens', opens, 'clicks', clicks,
           'reply_rate_pct', reply_rate, 'opt_out_rate_pct', opt_out_rate, 'bounce_rate_pct', bounce_rate,
           'open_rate_pct', open_rate, 'click_rate_pct', click_rate, 'cost_usd', cost,
           'sends_change_pct', case when sends_before > 0 then round(100.0 * (sends - sends_before) / sends_before, 1) else 0 end,
           'reply_rate_change_pp', reply_rate - reply_rate_before,
           'opt_out_rate_change_pp', opt_out_rate - opt_out_rate_before,
           'prev_sends', sends_before, 'prev_reply_rate_pct', reply_rate_before),
         'timeseries', json_build_object(
           'sends', daily_sends, 'replies', daily_replies, 'reply_rate', daily_reply_rate,
           'click_rate', daily_click_rate, 'opt_out_rate', daily_opt_out_rate),
         'costBreakdown', json_build_object(
           'total', json_build_object(
             'cost_usd', cost, 'tokens_in', coalesce(tokens_in, 0), 'tokens_out', coalesce(tokens_out, 0), 'calls', coalesce(calls, 0)),
           'by_provider', coalesce(by_provider, '[]'), 'by_model', coalesce(by_model, '[]'), 'daily', daily_cost),
         'stepBreakdown', json_build_object(
           'steps', steps, 'dailySends', daily_counts, 'totalSends', sends,
           'uniqueContacts', contacts, 'totalLeads', leads),
         'campaigns', json_build_object('list', coalesce(campaign_list, '[]'), 'stats', coalesce(campaign_stats, '[]')),
         'dateRange', json_build_object('start', first_day, 'end', last_day),
         'source', 'postgresql') as data
from (
  select id, first_day, last_day, first_day - (last_day - first_day + 1) as first_day_before
  from public.tenant
  cross join lateral (select (:'now'::timestamptz at time zone timezone)::date as today, nullif(:'start', '')::date as start) asked
  cross join lateral (select coalesce(nullif(:'end', '')::date, greatest(start, least(today, start + 365))) as last_day) until
  cross join lateral (select coalesce(start, last_day - 29) as first_day) since
  where id = any (:'tenant_ids'::uuid[])
  -- It cuts off nothing. It has the days reckoned once, and the planner expect few workspaces although it does not know how many
  -- are asked for; so one plan is kept for all the answers for one workspace.
  limit cardinality(:'tenant_ids'::uuid[])
) workspace

-- Mails and costs one under the other, so that neither multiplies the other, and among them every day and every campaign with
-- nothing. All of it is added up per day and per campaign, and the range is the sum of its days.
cross join lateral (
  select *,
         (select json_agg(json_build_object('name', name) order by name collate "C") from unnest(campaign_names) name) as campaign_list,
         campaigns.percentage(replies, sends) as reply_rate,
         campaigns.percentage(opt_outs, sends) as opt_out_rate,
         campaigns.percentage(bounces, sends) as bounce_rate,
         campaigns.percentage(opens, sends) as open_rate,
         campaigns.percentage(clicks, sends) as click_rate
  from (
    select sum(sends) filter (where is_day) as sends,
           sum(opens) filter (where is_day) as opens,
           sum(clicks) filter (where is_day) as clicks,
           sum(replies) filter (where is_day) as replies,
           sum(bounces) filter (where is_day) as bounces,
           sum(opt_outs) filter (where is_day) as opt_outs,
           trim_scale(sum(cost) filter (where is_day)) as cost,
           json_agg(json_build_object('day', day, 'value', sends)) filter (where is_day) as daily_sends,
           json_agg(json_build_object('day', day, 'value', replies)) filter (where is_day) as daily_replies,
           json_agg(json_build_object('day', day, 'value', reply_rate)) filter (where is_day) as daily_reply_rate,
           json_agg(json_build_object('day', day, 'value', click_rate)) filter (where is_day) as daily_click_rate,
           json_agg(json_build_object('day', day, 'value', opt_out_rate)) filter (where is_day) as daily_opt_out_rate,
           json_agg(json_build_object('day', day, 'value', cost)) filter (where is_day) as daily_cost,
           json_agg(json_build_object('date', day, 'count', sends)) filter (where is_day) as daily_counts,
           json_agg(
             json_build_object(
               'campaign', campaign_name, 'sends', sends, 'replies', replies, 'opt_outs', opt_outs, 'bounces', bounces,
               'reply_rate_pct', reply_rate, 'opt_out_rate_pct', opt_out_rate, 'bounce_rate_pct', bounce_rate, 'cost_usd', cost,
               'cost_per_reply', case when replies > 0 then trim_scale(round(cost / replies, 6)) else 0 end)
           ) filter (where is_campaign and is_shown and rows > 0) as campaign_stats,
           array_agg(campaign_name) filter (where is_campaign) as campaign_names
    from (
      select *,
             is_shown and day is not null as is_day,
             campaign_name is not null as is_campaign,
             campaigns.percentage(replies, sends) as reply_rate,
             campaigns.percentage(opt_outs, sends) as opt_out_rate,
             campaigns.percentage(bounces, sends) as bounce_rate,
             campaigns.percentage(clicks, sends) as click_rate
      from (
        select is_shown, day, campaign_name, sum(rows) as rows,
               sum(sends) as sends, sum(opens) as opens, sum(clicks) as clicks,
               sum(replies) as replies, sum(bounces) as bounces, sum(opt_outs) as opt_outs,
               trim_scale(sum(cost)) as cost
        from (
          select :'campaign' in ('', campaign_name) as is_shown, day, campaign_name, 1 as rows,
                 sends, opens, clicks, replies, bounces, opt_outs, 0 as cost
          from mv_daily_stats
          where workspace_id = workspace.id and day between first_day and last_day
          union all
          select :'campaign' in ('', campaign_name), day, campaign_name, 1, 0, 0, 0, 0, 0, 0,
                 case when :'provider' = '' then total_cost else (
                   select sum(cost) from unnest(providers, costs) as of_model (provider, cost) where provider = :'provider') end
          from mv_llm_cost_by_campaign
          where workspace_id = workspace.id and day between first_day and last_day and (:'provider' = '' or :'provider' = any (providers))
          union all
          select true, first_day + n, null, 0, 0, 0, 0, 0, 0, 0, 0
          from generate_series(0, last_day - first_day) n
          union all
          select :'campaign' in ('', name), null, name, 0, 0, 0, 0, 0, 0, 0, 0
          from campaigns.campaigns
          where workspace_id = workspace.id
        ) of_day_and_campaign
        group by is_shown, grouping sets (day, campaign_name)
        -- Once for all the lists above. None of them has an order of its own, which could become the order of the others.
        order by day, sends desc, campaign_name collate "C"
      ) added_up
    ) rated
  ) summed
) mails

cross join lateral (
  select coalesce(sum(sends), 0) as sends_before,
         campaigns.percentage(sum(replies), sum(sends)) as reply_rate_before,
         campaigns.percentage(sum(opt_outs), sum(sends)) as opt_out_rate_before
  from mv_daily_stats
  where workspace_id = workspace.id and day between first_day_before and first_day - 1 and :'campaign' in ('', campaign_name)
) before

cross join lateral (
  select sum(tokens_in) filter (where level = 1) as tokens_in,
         sum(tokens_out) filter (where level = 1) as tokens_out,
         sum(calls) filter (where level = 1) as calls,
         json_agg(
           json_build_object(
             'provider', provider, 'cost_usd', cost_usd, 'tokens_in', tokens_in, 'tokens_out', tokens_out, 'calls', calls)
           order by cost_usd desc, provider collate "C") filter (where level = 1) as by_provider,
         json_agg(
           json_build_object(
             'model', model, 'provider', provider, 'cost_usd', cost_usd,
             'tokens_in', tokens_in, 'tokens_out', tokens_out, 'calls', calls)
           order by cost_usd desc, provider collate "C", model collate "C") filter (where level = 0) as by_model
  from (
    select provider, model, grouping(model) as level, trim_scale(sum(cost)) as cost_usd,
           sum(tokens_in) as tokens_in, sum(tokens_out) as tokens_out, sum(calls) as calls
    from (
      select provider, model, total_cost as cost, total_tokens_in as tokens_in, total_tokens_out as tokens_out, call_count as calls
      from mv_llm_cost
      where :'campaign' = ''
        and workspace_id = workspace.id and day between first_day and last_day and :'provider' in ('', provider)
      union all
      select of_model.*
      from mv_llm_cost_by_campaign of_campaign
      cross join lateral unnest(providers, models, costs, of_campaign.tokens_in, of_campaign.tokens_out, of_campaign.calls)
        as of_model (provider, model, cost, tokens_in, tokens_out, calls)
      where :'campaign' <> '' and campaign_name = :'campaign'
        and workspace_id = workspace.id and day between first_day and last_day and :'provider' in ('', provider)
    ) used
    group by grouping sets ((provider), (provider, model))
  ) of_kind
) models

-- The first three steps are always there.
cross join lateral (
  select json_agg(
           json_build_object('step', step, 'name', 'Email ' || step, 'sends', sends, 'lastSentAt', last_sent_at)
           order by step) as steps
  from (
    select step, sum(sends) as sends,
           to_char(max(last_sent_at) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as last_sent_at
    from (
      select step,
             case when :'campaign' = '' then sends else campaign_sends[array_position(campaign_names, :'campaign')] end as sends,
             case when :'campaign' = '' then last_sent_at
               else campaign_last_sent_at[array_position(campaign_names, :'campaign')] end as last_sent_at
      from mv_step_sends
      where workspace_id = workspace.id and day between first_day and last_day
        and (:'campaign' = '' or :'campaign' = any (campaign_names))
      union all
      select step, 0, null from generate_series(1, 3) step
    ) sent
    group by step
  ) of_step
) steps

-- Whoever was last in touch before the range is counted on his first day in it.
cross join lateral (
  select coalesce(sum(width_bucket(first_day - 1, previous_days)), 0) as contacts
  from (
    select previous_days
    from mv_contacts
    where :'campaign' = '' and workspace_id = workspace.id and day between first_day and last_day
    union all
    select previous_days
    from mv_contacts_by_campaign
    where :'campaign' <> '' and campaign_name = :'campaign' and workspace_id = workspace.id and day between first_day and last_day
  ) seen
) contacts

cross join lateral (
  select coalesce(sum(of_campaign.leads), 0) as leads
  from mv_leads of_campaign
  where workspace_id = workspace.id and :'campaign' in ('', campaign_name)
) leads
