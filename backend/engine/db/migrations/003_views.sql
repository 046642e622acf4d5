-- What is known of each materialized view; the view itself holds data only.
create table view_state (
  view_name            text primary key, -- unique over all domains
  domain               text not null,
  definition_hash      text not null,
  target_lag_seconds   integer not null,
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

-- The tenants whose data in a view is behind its sources.
create table view_change (
  view_name  text not null references view_state on delete cascade,
  tenant_id  uuid not null,
  change     bigint not null, -- of the sequence below; another one means another change since
  changed_at timestamptz not null,
  primary key (view_name, tenant_id)
);

create sequence view_change_number;

alter table job_runs add column view_name text;
alter table job_runs drop constraint job_runs_kind_check;
alter table job_runs add constraint job_runs_kind_check check (kind in ('cron', 'manual', 'refresh'));
create index job_runs_of_view on job_runs (view_name, started_at desc) where view_name is not null;
