-- What is wrong with a view or a job. An incident goes
--
--   open ──acknowledge──▶ acknowledged ──┐
--    │ └──suppress──▶ suppressed ◀───────┤
--    └──────────resolve──▶ resolved ◀────┘   (by hand, or by itself when the cause is gone)
create table alert_incidents (
  id              uuid primary key default gen_random_uuid(),
  kind            text not null check (kind in ('view_failing', 'job_failing', 'view_late')),
  subject         text not null, -- the name of the view or the job
  severity        text not null check (severity in ('warning', 'error')),
  status          text not null default 'open' check (status in ('open', 'acknowledged', 'resolved', 'suppressed')),
  message         text not null,
  details         jsonb not null default '{}',
  occurrences     integer not null,
  -- The newest failure, or the refresh that is too long ago. Only something newer is a further occurrence, and only
  -- something newer opens an incident anew that was resolved by hand.
  cause_at        timestamptz not null,
  opened_at       timestamptz not null,
  last_seen_at    timestamptz not null,
  acknowledged_at timestamptz,
  acknowledged_by text,
  suppressed_at   timestamptz,
  suppressed_by   text,
  resolved_at     timestamptz,
  resolved_by     text,
  check ((status = 'resolved') = (resolved_at is not null))
);

-- Never two for the same cause, whatever the number of instances.
create unique index alert_incidents_unresolved on alert_incidents (kind, subject) where status <> 'resolved';
create index alert_incidents_of_cause on alert_incidents (kind, subject, cause_at desc);
create index alert_incidents_recent on alert_incidents (opened_at desc);
create index alert_incidents_resolved on alert_incidents (resolved_at) where status = 'resolved';

-- As the API shows it, and as a notification keeps it.
create function incident_as_json(incident alert_incidents) returns jsonb language sql stable as $$
  select to_jsonb(incident) - 'cause_at' || coalesce(
    (
      select jsonb_object_agg(moment, to_char(value::timestamptz at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
      from jsonb_each_text(to_jsonb(incident)) as field (moment, value)
      where moment like '%\_at' and value is not null and moment <> 'cause_at'
    ), '{}')
$$;

-- Notifications of incidents, written in the statement that changes the incident.
create table alert_notification (
  number          bigint generated always as identity primary key,
  id              uuid not null default gen_random_uuid(), -- the same at every attempt
  incident_id     uuid not null references alert_incidents on delete cascade,
  event           text not null check (event in ('opened', 'acknowledged', 'resolved')),
  incident        jsonb not null, -- as it was then
  created_at      timestamptz not null,
  attempts        integer not null default 0,
  next_attempt_at timestamptz, -- null: delivered or given up
  delivered_at    timestamptz,
  last_error      text
);

create index alert_notification_waiting on alert_notification (incident_id, number) where next_attempt_at is not null;
create index alert_notification_of_incident on alert_notification (incident_id);

create table system_logs (
  id            bigint generated always as identity primary key,
  operation     text not null,
  message       text,
  error_details jsonb,
  created_at    timestamptz not null default now()
);

create index system_logs_of_operation on system_logs (operation, created_at desc);
create index system_logs_recent on system_logs (created_at desc);

create table api_logs (
  endpoint         text not null, -- the route's pattern, or the path that a domain gave a report; never a query
  method           text not null,
  status           integer not null,
  response_time_ms double precision not null,
  cache_state      text, -- HIT, MISS, STALE, BYPASS; null: not a report
  tenant_id        uuid,
  created_at       timestamptz not null default now()
);

create index api_logs_of_endpoint on api_logs (endpoint, created_at desc);
create index api_logs_recent on api_logs (created_at);
