-- The tables of the outreach campaigns. A workspace is a tenant.
--
-- The views read whole tables, and the reports read the views. The indexes are for everything else that is asked of these tables:
-- by dates, by campaign, by contact, for one workspace or for all.

create table campaigns (
  workspace_id uuid not null references public.tenant (id) on delete cascade,
  id           uuid not null default gen_random_uuid(),
  name         text not null check (btrim(name) <> ''),
  status       text not null default 'active' check (status in ('active', 'paused', 'completed')),
  created_at   timestamptz not null default now(),
  updated_at   timestamptz not null default now(),
  primary key (workspace_id, id),
  unique (workspace_id, name)
);

-- Whom a workspace means to write to, each once, whatever the spelling.
create table leads (
  workspace_id  uuid not null references public.tenant (id) on delete cascade,
  id            uuid not null default gen_random_uuid(),
  email         text not null,
  first_name    text,
  last_name     text,
  company       text,
  campaign_name text,
  is_test       boolean,
  created_at    timestamptz not null default now(),
  primary key (workspace_id, id)
);

create unique index leads_by_email on leads (workspace_id, lower(email));
create index leads_by_campaign on leads (workspace_id, campaign_name) include (is_test);

create table email_events (
  workspace_id        uuid not null references public.tenant (id) on delete cascade,
  id                  uuid not null default gen_random_uuid(),
  contact_id          uuid,
  contact_email       text not null,
  campaign_name       text not null,
  campaign_group_id   uuid,
  step                integer check (step > 0), -- where it is missing email_number stands in, and where that is missing the first
  email_number        integer check (email_number > 0),
  event_type          text not null
    check (event_type in ('sent', 'delivered', 'bounced', 'replied', 'opt_out', 'opened', 'clicked')),
  provider            text,
  provider_message_id text,
  event_ts            timestamptz not null default now(),
  subject             text,
  body                text,
  is_test             boolean,
  metadata            jsonb not null default '{}',
  created_at          timestamptz not null default now(),
  primary key (workspace_id, id),
  -- An event that a provider delivers twice is one, but a message can be opened again and again.
  unique (workspace_id, provider_message_id, event_type, event_ts)
);

create index email_events_by_time on email_events (event_ts);
create index email_events_of_workspace on email_events (workspace_id, event_ts);
create index email_events_of_campaign on email_events (workspace_id, campaign_name, event_ts);
create index email_events_of_contact on email_events (workspace_id, lower(contact_email), event_ts);

create table llm_usage (
  workspace_id  uuid not null references public.tenant (id) on delete cascade,
  id            uuid not null default gen_random_uuid(),
  provider      text,
  model         text,
  tokens_in     integer,
  tokens_out    integer,
  cost_usd      numeric(10, 6) not null,
  campaign_name text,
  contact_email text,
  purpose       text,
  workflow_id   text,
  run_id        text,
  metadata      jsonb not null default '{}',
  created_at    timestamptz not null default now(),
  primary key (workspace_id, id)
);

create index llm_usage_by_time on llm_usage (created_at);
create index llm_usage_of_workspace on llm_usage (workspace_id, created_at);
create index llm_usage_of_campaign on llm_usage (workspace_id, campaign_name, created_at);
create index llm_usage_of_model on llm_usage (workspace_id, provider, model, created_at);
