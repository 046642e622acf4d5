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
           'reply_rate_change_pp', reply_rate - coalesce(reply_rate_before, 0),
           'opt_out_rate_change_pp', opt_out_rate - coalesce(opt_out_rate_before, 0),
           'prev_sends', coalesce(sends_before, 0), 'prev_reply_rate_pct', coalesce(reply_rate_before, 0)),
         'timeseries', json_build_object(
           'sends', daily_sends, 'replies', daily_replies, 'reply_rate', daily_reply_rate,
           'click_rate', daily_click_rate, 'opt_out_rate', daily_opt_out_rate),
         'costBreakdown', json_build_object(
           'total', json_build_object('cost_usd', cost, 'tokens_in', tokens_in, 'tokens_out', tokens_out, 'calls', calls),
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
-- nothing. All of it is added up per period (level 3), per day (1) and per campaign (2).
cross join lateral (
  select max(sends) filter (where is_total) as sends,
         max(opens) filter (where is_total) as opens,
         max(clicks) filter (where is_total) as clicks,
         max(replies) filter (where is_total) as replies,
         max(bounces) filter (where is_total) as bounces,
         max(opt_outs) filter (where is_total) as opt_outs,
         max(reply_rate) filter (where is_total) as reply_rate,
         max(opt_out_rate) filter (where is_total) as opt_out_rate,
         max(bounce_rate) filter (where is_total) as bounce_rate,
         max(click_rate) filter (where is_total) as click_rate,
         max(campaigns.percentage(opens, sends)) filter (where is_total) as open_rate,
         max(cost) filter (where is_total) as cost,
         max(tokens_in) filter (where is_total) as tokens_in,
         max(tokens_out) filter (where is_total) as tokens_out,
         max(calls) filter (where is_total) as calls,
         max(sends) filter (where is_total_before) as sends_before,
         max(reply_rate) filter (where is_total_before) as reply_rate_before,
         max(opt_out_rate) filter (where is_total_before) as opt_out_rate_before,
         json_agg(json_build_object('day', day, 'value', sends) order by day) filter (where is_day) as daily_sends,
         json_agg(json_build_object('day', day, 'value', replies) order by day) filter (where is_day) as daily_replies,
         json_agg(json_build_object('day', day, 'value', reply_rate) order by day) filter (where is_day) as daily_reply_rate,
         json_agg(json_build_object('day', day, 'value', click_rate) order by day) filter (where is_day) as daily_click_rate,
         json_agg(json_build_object('day', day, 'value', opt_out_rate) order by day) filter (where is_day) as daily_opt_out_rate,
         json_agg(json_build_object('day', day, 'value', cost) order by day) filter (where is_day) as daily_cost,
         json_agg(json_build_object('date', day, 'count', sends) order by day) filter (where is_day) as daily_counts,
         json_agg(
           json_build_object(
             'campaign', campaign_name, 'sends', sends, 'replies', replies, 'opt_outs', opt_outs, 'bounces', bounces,
             'reply_rate_pct', reply_rate, 'opt_out_rate_pct', opt_out_rate, 'bounce_rate_pct', bounce_rate, 'cost_usd', cost,
             'cost_per_reply', case when replies > 0 then trim_scale(round(cost / replies, 6)) else 0 end)
           order by sends desc, campaign_name collate "C") filter (where is_campaign and is_shown and rows > 0) as campaign_stats,
         json_agg(json_build_object('name', campaign_name) order by campaign_name collate "C")
           filter (where is_campaign) as campaign_list
  from (
    select *,
           is_shown and is_current and level = 3 as is_total,
           is_shown and not is_current and level = 3 as is_total_before,
           is_shown and is_current and level = 1 and day is not null as is_day,
           is_current and level = 2 and campaign_name is not null as is_campaign,
           campaigns.percentage(replies, sends) as reply_rate,
           campaigns.percentage(opt_outs, sends) as opt_out_rate,
           campaigns.percentage(bounces, sends) as bounce_rate,
           campaigns.percentage(clicks, sends) as click_rate
    from (
      select is_current, is_shown, day, campaign_name, grouping(day, campaign_name) as level, sum(rows) as rows,
             sum(sends) as sends, sum(opens) as opens, sum(clicks) as clicks,
             sum(replies) as replies, sum(bounces) as bounces, sum(opt_outs) as opt_outs,
             trim_scale(sum(cost)) as cost, sum(tokens_in) as tokens_in, sum(tokens_out) as tokens_out, sum(calls) as calls
      from (
        select day >= first_day as is_current, :'campaign' in ('', campaign_name) as is_shown, day, campaign_name, 1 as rows,
               sends, opens, clicks, replies, bounces, opt_outs, 0 as cost, 0 as tokens_in, 0 as tokens_out, 0 as calls
        from mv_daily_stats
        where workspace_id = workspace.id and day between first_day_before and last_day
        union all
        select true, :'campaign' in ('', campaign_name), day, campaign_name, 1,
               0, 0, 0, 0, 0, 0, total_cost, total_tokens_in, total_tokens_out, call_count
        from mv_llm_cost_by_campaign
        where workspace_id = workspace.id and day between first_day and last_day and :'provider' in ('', provider)
        union all
        select true, true, first_day + n, null, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
        from generate_series(0, last_day - first_day) n
        union all
        select true, :'campaign' in ('', name), null, name, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
        from campaigns.campaigns
        where workspace_id = workspace.id
      ) of_day_and_campaign
      group by grouping sets ((is_shown, is_current), (is_shown, is_current, day), (is_shown, is_current, campaign_name))
    ) added_up
  ) rated
) mails

cross join lateral (
  select json_agg(of_provider order by cost_usd desc, provider collate "C") filter (where level = 1) as by_provider,
         json_agg(of_model order by cost_usd desc, provider collate "C", model collate "C") filter (where level = 0) as by_model
  from (
    select provider, model, grouping(model) as level, trim_scale(sum(total_cost)) as cost_usd,
           json_build_object(
             'provider', provider, 'cost_usd', trim_scale(sum(total_cost)),
             'tokens_in', sum(total_tokens_in), 'tokens_out', sum(total_tokens_out), 'calls', sum(call_count)) as of_provider,
           json_build_object(
             'model', model, 'provider', provider, 'cost_usd', trim_scale(sum(total_cost)),
             'tokens_in', sum(total_tokens_in), 'tokens_out', sum(total_tokens_out), 'calls', sum(call_count)) as of_model
    from (
      select provider, model, total_cost, total_tokens_in, total_tokens_out, call_count
      from mv_llm_cost
      where :'campaign' = ''
        and workspace_id = workspace.id and day between first_day and last_day and :'provider' in ('', provider)
      union all
      select provider, model, total_cost, total_tokens_in, total_tokens_out, call_count
      from mv_llm_cost_by_campaign
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
      select unnest(steps) as step, unnest(sends) as sends, unnest(last_sent_at) as last_sent_at
      from mv_step_sends
      where workspace_id = workspace.id and day between first_day and last_day and :'campaign' in ('', campaign_name)
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
