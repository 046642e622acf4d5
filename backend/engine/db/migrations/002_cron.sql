create table cron_job (
  id              uuid primary key default gen_random_uuid(),
  tenant_id       uuid references tenant (id) on delete cascade, -- null: all tenants
  name            text not null unique check (name <> ''),
  schedule        text not null,
  function_name   text not null,
  is_active       boolean not null default true,
  last_run        timestamptz,
  next_run        timestamptz, -- null: not planned yet
  metadata        jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  timezone        text not null default 'UTC', -- an IANA zone, or 'tenant' for each tenant's own
  misfire         text not null default 'once' check (misfire in ('skip', 'once')),
  overlap         text not null default 'skip' check (overlap in ('skip', 'queue')),
  timeout_seconds integer not null default 3600 check (timeout_seconds between 1 and 604800),
  max_attempts    integer not null default 3 check (max_attempts between 1 and 100),
  paused_reason   text,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now()
);

create index cron_job_due on cron_job (next_run) where is_active;
create index cron_job_by_tenant on cron_job (tenant_id);

-- A schedule edited by hand is planned anew, and a wrong one is found at once, not when the old plan falls due.
create function cron_job_forget_plan() returns trigger language plpgsql as $$
begin
  new.next_run := null;
  return new;
end
$$;

create trigger cron_job_forget_plan
before update of schedule, timezone on cron_job
for each row
when (
  (old.schedule, old.timezone) is distinct from (new.schedule, new.timezone)
  and new.next_run is not distinct from old.next_run
)
execute function cron_job_forget_plan();

create table job_runs (
  id              uuid primary key default gen_random_uuid(),
  cron_job_id     uuid references cron_job (id) on delete cascade, -- null: a function run by hand
  tenant_id       uuid references tenant (id) on delete cascade, -- null: all tenants
  job_name        text not null,
  function_name   text not null,
  kind            text not null check (kind in ('cron', 'manual')),
  slot            timestamptz, -- null: run by hand
  status          text not null check (status in ('running', 'success', 'partial', 'failed', 'skipped', 'timeout')),
  attempt         integer not null default 1,
  lease_owner     uuid, -- null: given up by its owner
  lease_until     timestamptz,
  processed_count integer,
  success_count   integer,
  failure_count   integer,
  started_at      timestamptz not null,
  finished_at     timestamptz,
  duration_ms     integer,
  message         text,
  error_message   text,
  triggered_by    text not null,
  metadata        jsonb not null default '{}',
  created_at      timestamptz not null default now(),
  check ((status = 'running') = (finished_at is null)),
  check (status <> 'running' or lease_until is not null)
);

-- A slot is claimed once, whatever the number of instances.
create unique index job_runs_slot on job_runs (cron_job_id, slot);
-- A job never runs twice at the same time.
create unique index job_runs_running on job_runs (cron_job_id) where status = 'running';
create index job_runs_leased on job_runs (lease_until) where status = 'running';
create index job_runs_recent on job_runs (started_at desc);
create index job_runs_of_job on job_runs (cron_job_id, started_at desc);
create index job_runs_by_tenant on job_runs (tenant_id, started_at desc);
create index job_runs_finished on job_runs (finished_at);
