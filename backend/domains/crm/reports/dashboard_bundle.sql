-- The dashboard of one tenant, or of any number of them: counts and sums, recent records, and the funnel.
--
-- Every table is counted by itself, so that rows never multiply, and once for both variants: all rows, and
-- among them the test data, which `less` takes off again. The innermost selects see one tenant each, and are
-- answered from its part of an index.
--
-- Nothing is dropped for being null: a missing status or stage is open, a missing is_test_data is real, and
-- where created_date is missing created_at stands in.
with asked as (
  select id, slug,
         crm.start_of_day(today - 30, timezone) as since,
         crm.start_of_day(today + 1, timezone) as until
  from public.tenant
  cross join lateral (select (:'now'::timestamptz at time zone timezone)::date as today) local
  where id in (select unnest(:'tenant_ids'::uuid[]))
),

-- What is answered: each tenant by itself, or all of them as one, which is there even if they are none.
answers as (
  select id as tenant_id, slug as tenant_slug,
         array[id] as members, array[since] as sinces, array[until] as untils,
         :'include_test_data'::text[] as variants
  from asked
  where :'merge' <> 'true'
  union all
  select null, null, array_agg(id), array_agg(since), array_agg(until), :'include_test_data'::text[]
  from asked
  having :'merge' = 'true'
)

-- Put together as text, so that the lists are copied once and not at every level.
select answers.tenant_id, include_test_data,
       '{"stats":' || row_to_json(stats)
         || ',"lists":{"recentActivities":[' || lists.recent_activities
         || '],"recentLeads":[' || lists.recent_leads
         || '],"recentOpportunities":[' || lists.recent_opportunities
         || ']},"funnelAggregates":' || row_to_json(funnel) || '}' as data
from answers

cross join lateral (
  select coalesce(sum(total), 0) as total, coalesce(sum(test), 0) as test
  from unnest(members) member (tenant)
  cross join lateral (
    select count(*) as total, count(*) filter (where is_test_data) as test
    from crm.contacts
    where tenant_id = member.tenant
      and crm.is_in_scope(assigned_to, assigned_to_team, :'visible_to', :'visible_teams', :'team_id', :'assigned_to')
  ) counted
) contacts

cross join lateral (
  select coalesce(sum(total), 0) as total, coalesce(sum(test), 0) as test
  from unnest(members) member (tenant)
  cross join lateral (
    select count(*) as total, count(*) filter (where is_test_data) as test
    from crm.accounts
    where tenant_id = member.tenant
      and crm.is_in_scope(assigned_to, assigned_to_team, :'visible_to', :'visible_teams', :'team_id', :'assigned_to')
  ) counted
) accounts

cross join lateral (
  select coalesce(sum(total), 0) as total, coalesce(sum(test), 0) as test
  from unnest(members) member (tenant)
  cross join lateral (
    select count(*) as total, count(*) filter (where is_test_data) as test
    from crm.bizdev_sources
    where tenant_id = member.tenant
      and (lower(status collate "C") = 'promoted') is not true
      and crm.is_in_scope(assigned_to, null, :'visible_to', :'visible_teams', :'team_id', :'assigned_to')
  ) counted
) sources

cross join lateral (
  select coalesce(sum(total), 0) as recent_total, coalesce(sum(test), 0) as recent_test
  from unnest(members, sinces, untils) member (tenant, since, until)
  cross join lateral (
    select count(*) as total, count(*) filter (where is_test_data) as test
    from crm.activities
    where tenant_id = member.tenant
      and coalesce(created_date, created_at) >= member.since
      and coalesce(created_date, created_at) < member.until
      and crm.is_in_scope(assigned_to, assigned_to_team, :'visible_to', :'visible_teams', :'team_id', :'assigned_to')
  ) counted
) activities

-- `offset 0` has each row judged once, and not again in every filter.
cross join lateral (
  select coalesce(sum(total), 0) as total, coalesce(sum(test), 0) as test,
         coalesce(sum(open_total), 0) as open_total, coalesce(sum(open_test), 0) as open_test,
         coalesce(sum(new_total), 0) as new_total, coalesce(sum(new_test), 0) as new_test,
         json_object_agg(source, total order by total desc, source) as by_source,
         json_object_agg(source, total - test order by total - test desc, source)
           filter (where total > test) as by_source_without_test
  from (
    select case when btrim(source) <> '' then source else 'other' end collate "C" as source,
           sum(total) as total, sum(test) as test,
           sum(open_total) as open_total, sum(open_test) as open_test,
           sum(new_total) as new_total, sum(new_test) as new_test
    from unnest(members, sinces, untils) member (tenant, since, until)
    cross join lateral (
      select source,
             count(*) as total,
             count(*) filter (where is_test_data) as test,
             count(*) filter (where is_open) as open_total,
             count(*) filter (where is_open and is_test_data) as open_test,
             count(*) filter (where is_open and is_recent) as new_total,
             count(*) filter (where is_open and is_recent and is_test_data) as new_test
      from (
        select source, is_test_data,
               (lower(status collate "C") in ('converted', 'lost')) is not true as is_open,
               coalesce(created_date, created_at) >= member.since
                 and coalesce(created_date, created_at) < member.until as is_recent
        from crm.leads
        where tenant_id = member.tenant
          and crm.is_in_scope(assigned_to, assigned_to_team, :'visible_to', :'visible_teams', :'team_id', :'assigned_to')
        offset 0
      ) judged
      group by source
    ) counted
    group by 1
  ) sourced
) leads

cross join lateral (
  select coalesce(sum(total), 0) as total,
         coalesce(sum(test), 0) as test,
         coalesce(sum(total) filter (where is_open), 0) as open_total,
         coalesce(sum(test) filter (where is_open), 0) as open_test,
         coalesce(sum(value_total) filter (where is_open), 0) as open_value_total,
         coalesce(sum(value_test) filter (where is_open), 0) as open_value_test,
         coalesce(sum(test) filter (where stage = 'prospecting'), 0) as prospecting_count_test,
         coalesce(sum(without_test) filter (where stage = 'prospecting'), 0) as prospecting_count_real,
         coalesce(sum(total) filter (where stage = 'prospecting'), 0) as prospecting_count_total,
         coalesce(sum(value_test) filter (where stage = 'prospecting'), 0) as prospecting_value_test,
         coalesce(sum(value_without_test) filter (where stage = 'prospecting'), 0) as prospecting_value_real,
         coalesce(sum(value_total) filter (where stage = 'prospecting'), 0) as prospecting_value_total,
         coalesce(sum(test) filter (where stage = 'qualification'), 0) as qualification_count_test,
         coalesce(sum(without_test) filter (where stage = 'qualification'), 0) as qualification_count_real,
         coalesce(sum(total) filter (where stage = 'qualification'), 0) as qualification_count_total,
         coalesce(sum(value_test) filter (where stage = 'qualification'), 0) as qualification_value_test,
         coalesce(sum(value_without_test) filter (where stage = 'qualification'), 0) as qualification_value_real,
         coalesce(sum(value_total) filter (where stage = 'qualification'), 0) as qualification_value_total,
         coalesce(sum(test) filter (where stage = 'proposal'), 0) as proposal_count_test,
         coalesce(sum(without_test) filter (where stage = 'proposal'), 0) as proposal_count_real,
         coalesce(sum(total) filter (where stage = 'proposal'), 0) as proposal_count_total,
         coalesce(sum(value_test) filter (where stage = 'proposal'), 0) as proposal_value_test,
         coalesce(sum(value_without_test) filter (where stage = 'proposal'), 0) as proposal_value_real,
         coalesce(sum(value_total) filter (where stage = 'proposal'), 0) as proposal_value_total,
         coalesce(sum(test) filter (where stage = 'negotiation'), 0) as negotiation_count_test,
         coalesce(sum(without_test) filter (where stage = 'negotiation'), 0) as negotiation_count_real,
         coalesce(sum(total) filter (where stage = 'negotiation'), 0) as negotiation_count_total,
         coalesce(sum(value_test) filter (where stage = 'negotiation'), 0) as negotiation_value_test,
         coalesce(sum(value_without_test) filter (where stage = 'negotiation'), 0) as negotiation_value_real,
         coalesce(sum(value_total) filter (where stage = 'negotiation'), 0) as negotiation_value_total,
         coalesce(sum(test) filter (where stage = 'closed_won'), 0) as closed_won_count_test,
         coalesce(sum(without_test) filter (where stage = 'closed_won'), 0) as closed_won_count_real,
         coalesce(sum(total) filter (where stage = 'closed_won'), 0) as closed_won_count_total,
         coalesce(sum(value_test) filter (where stage = 'closed_won'), 0) as closed_won_value_test,
         coalesce(sum(value_without_test) filter (where stage = 'closed_won'), 0) as closed_won_value_real,
         coalesce(sum(value_total) filter (where stage = 'closed_won'), 0) as closed_won_value_total,
         coalesce(sum(test) filter (where stage = 'closed_lost'), 0) as closed_lost_count_test,
         coalesce(sum(without_test) filter (where stage = 'closed_lost'), 0) as closed_lost_count_real,
         coalesce(sum(total) filter (where stage = 'closed_lost'), 0) as closed_lost_count_total,
         coalesce(sum(value_test) filter (where stage = 'closed_lost'), 0) as closed_lost_value_test,
         coalesce(sum(value_without_test) filter (where stage = 'closed_lost'), 0) as closed_lost_value_real,
         coalesce(sum(value_total) filter (where stage = 'closed_lost'), 0) as closed_lost_value_total
  from (
    select stage, stage not in ('closed_won', 'closed_lost') as is_open,
           sum(total) as total, sum(test) as test, sum(total - test) as without_test,
           sum(value_total) as value_total, sum(value_test) as value_test, sum(value_total - value_test) as value_without_test
    from unnest(members) member (tenant)
    cross join lateral (
      select coalesce(lower(stage collate "C"), '') as spelling,
             count(*) as total,
             count(*) filter (where is_test_data) as test,
             coalesce(sum(amount), 0) as value_total,
             coalesce(sum(amount) filter (where is_test_data), 0) as value_test
      from crm.opportunities
      where tenant_id = member.tenant
        and crm.is_in_scope(assigned_to, assigned_to_team, :'visible_to', :'visible_teams', :'team_id', :'assigned_to')
      group by stage
    ) counted
    cross join lateral (
      select case
        when spelling in ('won', 'closed_won', 'closedwon', 'closed won') then 'closed_won'
        when spelling in ('lost', 'closed_lost', 'closedlost', 'closed lost') then 'closed_lost'
        else spelling
      end as stage
    ) named
    group by 1
  ) staged
) opportunities

-- Recent records. Each tenant's are taken from an index that is in their order, until there are enough for
-- both variants; then they take their places among those of all tenants of the answer. Where many tenants
-- are merged, nothing older than the newest real record of each of `enough` tenants can have a place.
--
-- How many it takes is known only while they are read, so `limit` is given nothing, which is no limit. It has the
-- planner expect few, and read the index in its order; otherwise it reads all records of the tenant and sorts them.
cross join lateral (
  select string_agg(item, ', ' order by created_at desc, id, tenant_id) filter (where place <= 10) as total,
         string_agg(item, ', ' order by created_at desc, id, tenant_id) filter (where not is_test) as without_test
  from (
    select listed.created_at, listed.id, listed.tenant_id, is_test, row_to_json(item)::text as item,
           row_number() over newest as place,
           count(*) filter (where not is_test) over newest as real_place
    from (
      select case count(*) when 10 then min(created_at) else '-infinity' end as since
      from (
        select newest.created_at
        from unnest(members) member (tenant)
        cross join lateral (
          select created_at
          from crm.activities
          where tenant_id = member.tenant
            and is_test_data is not true
            and crm.is_in_scope(assigned_to, assigned_to_team, :'visible_to', :'visible_teams', :'team_id', :'assigned_to')
          order by created_at desc
          limit 1
        ) newest
        where :'merge' = 'true'
        order by newest.created_at desc
        limit 10
      ) newest
    ) enough
    cross join unnest(members) member (tenant)
    cross join lateral (
      select * from (
        select *, is_test_data is true as is_test,
               row_number() over newest as place,
               count(*) filter (where is_test_data is not true) over newest as real_place
        from (
          select *
          from crm.activities
          where tenant_id = member.tenant
            and created_at >= enough.since
            and crm.is_in_scope(assigned_to, assigned_to_team, :'visible_to', :'visible_teams', :'team_id', :'assigned_to')
          order by created_at desc, id
          limit (select null::bigint)
        ) in_order
        window newest as (order by created_at desc, id rows unbounded preceding)
      ) placed
      where real_place <= 10 and (place <= 10 or not is_test)
    ) listed
    cross join lateral (
      select listed.id, listed.type, listed.subject, listed.status, listed.created_at,
             listed.created_date, listed.assigned_to, listed.tenant_id
    ) item
    window newest as (order by listed.created_at desc, listed.id, listed.tenant_id rows unbounded preceding)
  ) placed
  where real_place <= 10 and (place <= 10 or not is_test)
) recent_activities

cross join lateral (
  select string_agg(item, ', ' order by created_at desc, id, tenant_id) filter (where place <= 50) as total,
         string_agg(item, ', ' order by created_at desc, id, tenant_id) filter (where not is_test) as without_test
  from (
    select listed.created_at, listed.id, listed.tenant_id, is_test, row_to_json(item)::text as item,
           row_number() over newest as place,
           count(*) filter (where not is_test) over newest as real_place
    from (
      select case count(*) when 50 then min(created_at) else '-infinity' end as since
      from (
        select newest.created_at
        from unnest(members) member (tenant)
        cross join lateral (
          select created_at
          from crm.leads
          where tenant_id = member.tenant
            and is_test_data is not true
            and crm.is_in_scope(assigned_to, assigned_to_team, :'visible_to', :'visible_teams', :'team_id', :'assigned_to')
          order by created_at desc
          limit 1
        ) newest
        where :'merge' = 'true'
        order by newest.created_at desc
        limit 50
      ) newest
    ) enough
    cross join unnest(members) member (tenant)
    cross join lateral (
      select * from (
        select *, is_test_data is true as is_test,
               row_number() over newest as place,
               count(*) filter (where is_test_data is not true) over newest as real_place
        from (
          select *
          from crm.leads
          where tenant_id = member.tenant
            and created_at >= enough.since
            and crm.is_in_scope(assigned_to, assigned_to_team, :'visible_to', :'visible_teams', :'team_id', :'assigned_to')
          order by created_at desc, id
          limit (select null::bigint)
        ) in_order
        window newest as (order by created_at desc, id rows unbounded preceding)
      ) placed
      where real_place <= 50 and (place <= 50 or not is_test)
    ) listed
    cross join lateral (
      select listed.id, listed.first_name, listed.last_name, listed.company, listed.email,
             listed.phone, listed.created_date, listed.created_at, listed.status, listed.source,
             listed.is_test_data, listed.tenant_id, listed.assigned_to
    ) item
    window newest as (order by listed.created_at desc, listed.id, listed.tenant_id rows unbounded preceding)
  ) placed
  where real_place <= 50 and (place <= 50 or not is_test)
) recent_leads

cross join lateral (
  select string_agg(item, ', ' order by updated_at desc, id, tenant_id) filter (where place <= 50) as total,
         string_agg(item, ', ' order by updated_at desc, id, tenant_id) filter (where not is_test) as without_test
  from (
    select listed.updated_at, listed.id, listed.tenant_id, is_test, row_to_json(item)::text as item,
           row_number() over newest as place,
           count(*) filter (where not is_test) over newest as real_place
    from (
      select case count(*) when 50 then min(updated_at) else '-infinity' end as since
      from (
        select newest.updated_at
        from unnest(members) member (tenant)
        cross join lateral (
          select updated_at
          from crm.opportunities
          where tenant_id = member.tenant
            and is_test_data is not true
            and crm.is_in_scope(assigned_to, assigned_to_team, :'visible_to', :'visible_teams', :'team_id', :'assigned_to')
          order by updated_at desc
          limit 1
        ) newest
        where :'merge' = 'true'
        order by newest.updated_at desc
        limit 50
      ) newest
    ) enough
    cross join unnest(members) member (tenant)
    cross join lateral (
      select * from (
        select *, is_test_data is true as is_test,
               row_number() over newest as place,
               count(*) filter (where is_test_data is not true) over newest as real_place
        from (
          select *
          from crm.opportunities
          where tenant_id = member.tenant
            and updated_at >= enough.since
            and crm.is_in_scope(assigned_to, assigned_to_team, :'visible_to', :'visible_teams', :'team_id', :'assigned_to')
          order by updated_at desc, id
          limit (select null::bigint)
        ) in_order
        window newest as (order by updated_at desc, id rows unbounded preceding)
      ) placed
      where real_place <= 50 and (place <= 50 or not is_test)
    ) listed
    cross join lateral (
      select listed.id, listed.name, listed.amount, listed.stage, listed.probability,
             listed.updated_at, listed.is_test_data, listed.tenant_id, listed.assigned_to
    ) item
    window newest as (order by listed.updated_at desc, listed.id, listed.tenant_id rows unbounded preceding)
  ) placed
  where real_place <= 50 and (place <= 50 or not is_test)
) recent_opportunities

cross join lateral (
  select answers.tenant_id, tenant_slug,
         sources.test as sources_test,
         sources.total - sources.test as sources_real,
         sources.total as sources_total,
         leads.open_test as leads_test,
         leads.open_total - leads.open_test as leads_real,
         leads.open_total as leads_total,
         contacts.test as contacts_test,
         contacts.total - contacts.test as contacts_real,
         contacts.total as contacts_total,
         accounts.test as accounts_test,
         accounts.total - accounts.test as accounts_real,
         accounts.total as accounts_total,
         prospecting_count_test, prospecting_count_real, prospecting_count_total,
         prospecting_value_test, prospecting_value_real, prospecting_value_total,
         qualification_count_test, qualification_count_real, qualification_count_total,
         qualification_value_test, qualification_value_real, qualification_value_total,
         proposal_count_test, proposal_count_real, proposal_count_total,
         proposal_value_test, proposal_value_real, proposal_value_total,
         negotiation_count_test, negotiation_count_real, negotiation_count_total,
         negotiation_value_test, negotiation_value_real, negotiation_value_total,
         closed_won_count_test, closed_won_count_real, closed_won_count_total,
         closed_won_value_test, closed_won_value_real, closed_won_value_total,
         closed_lost_count_test, closed_lost_count_real, closed_lost_count_total,
         closed_lost_value_test, closed_lost_value_real, closed_lost_value_total
) funnel

cross join unnest(variants) variant (include_test_data)
cross join lateral (select case include_test_data when 'true' then 0 else 1 end as less) test

cross join lateral (
  select contacts.total - less * contacts.test as "totalContacts",
         accounts.total - less * accounts.test as "totalAccounts",
         leads.total - less * leads.test as "totalLeads",
         opportunities.total - less * opportunities.test as "totalOpportunities",
         leads.open_total - less * leads.open_test as "openLeads",
         opportunities.closed_won_count_total - less * opportunities.closed_won_count_test as "wonOpportunities",
         opportunities.open_total - less * opportunities.open_test as "openOpportunities",
         leads.new_total - less * leads.new_test as "newLeadsLast30Days",
         activities.recent_total - less * activities.recent_test as "activitiesLast30Days",
         opportunities.open_value_total - less * opportunities.open_value_test as "pipelineValue",
         opportunities.closed_won_value_total - less * opportunities.closed_won_value_test as "wonValue",
         coalesce(case less when 0 then by_source else by_source_without_test end, '{}') as "leadsBySource"
) stats

cross join lateral (
  select coalesce(case less when 0 then recent_activities.total else recent_activities.without_test end, '')
           as recent_activities,
         coalesce(case less when 0 then recent_leads.total else recent_leads.without_test end, '')
           as recent_leads,
         coalesce(case less when 0 then recent_opportunities.total else recent_opportunities.without_test end, '')
           as recent_opportunities
) lists
