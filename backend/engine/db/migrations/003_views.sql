-- What is known of each materialized view; the view itself holds data only.
create table view_state (
  view_name            text primary key, -- unique over all domains
  domain               text not null,
  definition_hash      text not null, -- empty: a view that it reads was rebuilt, and it must be, too
  target_lag_seconds   integer not null,
  key_columns          text[] not null,
  follows_days         boolean not null default false, -- whether a tenant's new day changes what it says
  reads_untracked      boolean not null default false, -- whether nothing is known of the changes of something that it reads
  last_success_at      timestamptz not null, -- when the refresh (or the making) whose data it shows began
  last_duration_ms     integer not null,
  row_count            bigint not null,
  consecutive_failures integer not null default 0,
  last_error           text,
  last_failure_at      timestamptz,
  -- A refresh that saw `requested` = n satisfies the first n requests. Two numbers instead of a flag, because a request that
  -- comes while a refresh is under way must not be forgotten when that one ends.
  requested            bigint not null default 0,
  satisfied            bigint not null default 0,
  pending_since        timestamptz, -- of the oldest request that is not satisfied
  reasons              text[] not null default '{}', -- of those requests
  not_before           timestamptz, -- debounced, or waiting after a failure
  check (satisfied <= requested)
);

-- The tenants whose data in a view is behind its sources. A tenant may stand here twice: whoever notes a change does not wait for
-- the transaction of a refresh, which has locked the rows that it strikes out.
create table view_change (
  view_name  text not null references view_state on delete cascade,
  tenant_id  uuid not null,
  change     bigint not null, -- of the sequence below; another one means another change since
  changed_at timestamptz not null,
  primary key (view_name, tenant_id, change)
);

create sequence view_change_number;

-- Requests because of changes that could not be counted in `view_state`, whose row was locked. The planner counts them.
create table view_request (
  view_name  text primary key references view_state on delete cascade,
  asked_at   timestamptz not null,
  not_before timestamptz not null
);

alter table job_runs add column view_name text;
alter table job_runs drop constraint job_runs_kind_check;
alter table job_runs add constraint job_runs_kind_check check (kind in ('cron', 'manual', 'refresh'));
create index job_runs_of_view on job_runs (view_name, started_at desc) where view_name is not null;

-- Whoever refreshes or rebuilds a view holds this lock until his transaction ends.
create function try_view_lock(view_name text) returns boolean language sql volatile as $$
  select pg_try_advisory_xact_lock(hashtext('prewarm view'), hashtext(view_name))
$$;

-- The locks that are held now.
create view view_locks as
select objid as key from pg_locks
where locktype = 'advisory' and objsubid = 2 and classid = hashtext('prewarm view')::oid
  and database = (select oid from pg_database where datname = current_database());

-- What was seen before a view was refreshed, and how the refresh went.
create type view_attempt as (
  view_name  text,
  status     text, -- refreshed, skipped, failed
  error      text,
  is_timeout boolean,
  began_at   timestamptz,
  run_at     timestamptz,
  ended_at   timestamptz,
  requested  bigint,
  not_before timestamptz,
  tenants    uuid[],
  changes    bigint[],
  row_count  bigint
);

create function run_view_refresh(state view_state) returns bigint language plpgsql as $$
declare
  view_id text := format('%I.%I', state.domain, state.view_name);
  is_populated boolean := (select relispopulated from pg_class where oid = to_regclass(view_id));
  row_count bigint;
  nameless bigint;
begin
  if state.definition_hash = '' then
    raise exception 'A view that it reads was rebuilt, and it could not be.';
  end if;
  -- Whole tables are sorted and counted: in memory, where the server is not that generous anyway.
  if pg_size_bytes(current_setting('work_mem')) < pg_size_bytes('64MB') then
    perform set_config('work_mem', '64MB', true);
  end if;
  -- What was never filled cannot be refreshed concurrently, and has no readers to wait for it.
  execute format('refresh materialized view %s %s', case when is_populated then 'concurrently' else '' end, view_id);
  execute format(
    'select count(*), count(*) filter (where %s) from %s',
    (select string_agg(format('%I is null', name), ' or ') from unnest(state.key_columns) name), view_id
  ) into row_count, nameless;
  if nameless > 0 then
    raise exception 'Its key (%) is null in % rows.', array_to_string(state.key_columns, ', '), nameless;
  end if;
  return row_count;
end
$$;

create function attempt_view_refresh(wanted text, only_requested boolean) returns view_attempt language plpgsql as $$
declare
  attempt view_attempt;
  state view_state;
begin
  attempt.view_name := wanted;
  -- What the view's now() says: a later time would promise a newer day than it shows.
  attempt.began_at := now();
  attempt.run_at := clock_timestamp();
  attempt.status := 'skipped';
  if not try_view_lock(wanted) then
    attempt.error := 'It is being refreshed already.';
    return attempt;
  end if;
  -- After the lock, so that what the last one who held it wrote is seen.
  select * into state from view_state s where s.view_name = wanted;
  if not found then
    attempt.status := 'failed';
    attempt.error := format('There is no view "%s".', wanted);
    return attempt;
  end if;
  if only_requested and (state.requested = state.satisfied or state.not_before > clock_timestamp()) then
    attempt.error := 'Nothing asks for it.';
    return attempt;
  end if;
  attempt.requested := state.requested;
  attempt.not_before := state.not_before;
  select array_agg(c.tenant_id), array_agg(c.change) into attempt.tenants, attempt.changes
  from view_change c where c.view_name = wanted;
  begin
    attempt.row_count := run_view_refresh(state);
    attempt.status := 'refreshed';
  exception
    -- A timeout is none of the others.
    when query_canceled or others then
      attempt.status := 'failed';
      attempt.error := sqlerrm;
      attempt.is_timeout := sqlstate = '57014';
  end;
  attempt.ended_at := clock_timestamp();
  return attempt;
end
$$;

create function note_view_run(attempt view_attempt, run_status text, triggered_by text) returns void language sql as $$
  insert into job_runs (job_name, function_name, kind, view_name, status, triggered_by, started_at, finished_at, duration_ms,
                        processed_count, success_count, failure_count, message, error_message, metadata)
  select 'Refresh ' || attempt.view_name, 'refresh_view', 'refresh', attempt.view_name, run_status, triggered_by,
         attempt.run_at, attempt.ended_at, extract(epoch from attempt.ended_at - attempt.run_at) * 1000,
         1, (attempt.status = 'refreshed')::integer, (attempt.status = 'failed')::integer,
         coalesce(attempt.error, attempt.row_count || ' rows'), attempt.error,
         jsonb_build_object('row_count', attempt.row_count, 'changed_tenants', (select count(distinct tenant) from unnest(attempt.tenants) tenant))
$$;

create function note_view_success(attempt view_attempt, triggered_by text) returns void language plpgsql as $$
declare
  state view_state;
begin
  select * into state from view_state s where s.view_name = attempt.view_name for no key update;
  -- A refreshed view is a source that has changed.
  insert into refresh_queue (source, tenant_id, operation)
  select state.domain || '.' || state.view_name, changed.tenant_id, 'REFRESH'
  from (
    select unnest(attempt.tenants) where not state.reads_untracked
    union
    select t.id from tenant t
    where state.follows_days and not state.reads_untracked
      and (state.last_success_at at time zone t.timezone)::date <> (attempt.began_at at time zone t.timezone)::date
    union
    select null::uuid where state.reads_untracked
  ) changed (tenant_id);
  perform refresh_queue_wake() where found;
  delete from view_change c
  using unnest(attempt.tenants, attempt.changes) seen (tenant_id, change)
  where c.view_name = attempt.view_name and (c.tenant_id, c.change) = (seen.tenant_id, seen.change);
  -- Requests that came meanwhile stay, and changes among them are debounced anew.
  update view_state s
  set last_success_at = attempt.began_at,
      last_duration_ms = extract(epoch from attempt.ended_at - attempt.run_at) * 1000,
      row_count = attempt.row_count,
      consecutive_failures = 0,
      last_error = null,
      satisfied = greatest(s.satisfied, attempt.requested),
      pending_since = case when s.requested > attempt.requested then greatest(s.pending_since, attempt.run_at) end,
      reasons = case when s.requested > attempt.requested then s.reasons else '{}' end,
      not_before = case
        when s.requested = attempt.requested then null
        when s.not_before is distinct from attempt.not_before then s.not_before
        else attempt.run_at + make_interval(secs => coalesce(
          (select max(r.debounce_seconds) from source_reader r where r.kind = 'view' and r.reader = s.view_name), 0))
      end
  where s.view_name = attempt.view_name;
  perform note_view_run(attempt, 'success', triggered_by);
end
$$;

-- A view that failed is asked for again, later each time: after 2 seconds, 4, 8, and at last every 5 minutes.
create function note_view_failure(attempt view_attempt, triggered_by text) returns void language plpgsql as $$
begin
  update view_state s
  set consecutive_failures = s.consecutive_failures + 1,
      last_error = attempt.error,
      last_failure_at = attempt.ended_at,
      requested = greatest(s.requested, s.satisfied + 1),
      pending_since = coalesce(s.pending_since, attempt.ended_at),
      reasons = case when s.requested > s.satisfied then s.reasons else array['failure'] end,
      not_before = attempt.ended_at + make_interval(secs => least(300, 2 ^ least(s.consecutive_failures + 1, 10)))
  where s.view_name = attempt.view_name;
  if found then
    perform note_view_run(attempt, case when attempt.is_timeout then 'timeout' else 'failed' end, triggered_by);
  end if;
end
$$;

-- Refreshes the views, in the order given, and says of each how it went: refreshed, skipped (another session is at it, and what
-- was asked for stays asked for) or failed. None of them rolls another back. What is remembered of them is written at the end,
-- because writing it holds up whoever notes further changes until this transaction ends.
create function refresh_views(view_names text[], triggered_by text default 'sql', only_requested boolean default false)
returns table (view_name text, status text, refreshed_at timestamptz, error text)
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
#variable_conflict use_column
declare
  wanted text;
  attempt view_attempt;
  attempts view_attempt[] := '{}';
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'Views are refreshed in transactions that are read committed.';
  end if;
  foreach wanted in array view_names loop
    attempts := attempts || attempt_view_refresh(wanted, only_requested);
  end loop;
  foreach attempt in array attempts loop
    if attempt.status = 'refreshed' then
      perform note_view_success(attempt, triggered_by);
    elsif attempt.status = 'failed' then
      perform note_view_failure(attempt, triggered_by);
    end if;
  end loop;
  return query
    select a.view_name, a.status, s.last_success_at, a.error
    from unnest(attempts) with ordinality a
    left join view_state s on s.view_name = a.view_name
    order by a.ordinality;
end
$$;

-- One view, by hand: select * from refresh_view('NAME').
create function refresh_view(view_name text)
returns table (view_name text, status text, refreshed_at timestamptz, error text)
language sql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
  select * from refresh_views(array[$1])
$$;

-- Views are refreshed by their owner, and by those to whom he grants it.
revoke execute on function
  run_view_refresh, attempt_view_refresh, note_view_run, note_view_success, note_view_failure, refresh_views, refresh_view
from public;

create view view_freshness as
select s.view_name,
       s.domain,
       s.last_success_at as last_refreshed,
       age.seconds as age_seconds,
       s.target_lag_seconds,
       age.seconds > s.target_lag_seconds as is_stale,
       s.requested > s.satisfied as is_pending,
       hashtext(s.view_name)::oid in (select l.key from view_locks l) as is_refreshing,
       s.pending_since,
       s.reasons,
       s.not_before,
       (select count(distinct c.tenant_id) from view_change c where c.view_name = s.view_name)::integer as changed_tenants,
       s.last_duration_ms,
       s.row_count,
       s.consecutive_failures,
       s.last_error,
       s.last_failure_at
from view_state s
cross join lateral (
  select greatest(0, floor(extract(epoch from clock_timestamp() - s.last_success_at)))::integer
) age (seconds);

create function get_view_freshness()
returns table (view_name text, last_refreshed timestamptz, age_seconds integer)
language sql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
  select f.view_name, f.last_refreshed, f.age_seconds from view_freshness f order by f.view_name
$$;
