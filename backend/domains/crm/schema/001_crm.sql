-- The tables of the CRM. The indexes are made for reports/dashboard_bundle.sql: each one holds, for one tenant,
-- everything that is counted, so that counting never touches the rows themselves, and where a list is shown
-- it is in the order of that list.

create table teams (
  tenant_id      uuid not null references public.tenant (id) on delete cascade,
  id             uuid not null default gen_random_uuid(),
  name           text not null,
  parent_team_id uuid,
  is_active      boolean not null default true,
  created_at     timestamptz not null default now(),
  updated_at     timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, parent_team_id) references teams (tenant_id, id) on delete cascade
);

create table team_members (
  tenant_id    uuid not null references public.tenant (id) on delete cascade,
  id           uuid not null default gen_random_uuid(),
  team_id      uuid not null,
  employee_id  uuid,
  user_id      uuid,
  role         text not null default 'member',
  access_level text not null default 'view_own',
  created_at   timestamptz not null default now(),
  updated_at   timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, team_id) references teams (tenant_id, id) on delete cascade
);

create index team_members_of_user on team_members (tenant_id, user_id) include (team_id);

create table accounts (
  tenant_id        uuid not null references public.tenant (id) on delete cascade,
  id               uuid not null default gen_random_uuid(),
  name             text not null,
  industry         text,
  website          text,
  annual_revenue   numeric,
  employee_count   integer,
  health_status    text,
  assigned_to      uuid,
  assigned_to_team uuid,
  is_test_data     boolean,
  created_date     timestamptz,
  created_at       timestamptz not null default now(),
  updated_at       timestamptz not null default now(),
  metadata         jsonb not null default '{}',
  primary key (tenant_id, id)
);

create index accounts_counted on accounts (tenant_id) include (is_test_data, assigned_to, assigned_to_team);

create table contacts (
  tenant_id        uuid not null references public.tenant (id) on delete cascade,
  id               uuid not null default gen_random_uuid(),
  first_name       text,
  last_name        text,
  email            text,
  phone            text,
  account_id       uuid,
  status           text,
  assigned_to      uuid,
  assigned_to_team uuid,
  is_test_data     boolean,
  created_date     timestamptz,
  created_at       timestamptz not null default now(),
  updated_at       timestamptz not null default now(),
  metadata         jsonb not null default '{}',
  primary key (tenant_id, id)
);

create index contacts_counted on contacts (tenant_id) include (is_test_data, assigned_to, assigned_to_team);

create table leads (
  tenant_id        uuid not null references public.tenant (id) on delete cascade,
  id               uuid not null default gen_random_uuid(),
  first_name       text,
  last_name        text,
  company          text,
  email            text,
  phone            text,
  status           text check (length(status) <= 100), -- new, contacted, qualified, …, converted, lost; null counts as open
  source           text check (length(source) <= 100),
  score            integer,
  estimated_value  numeric,
  do_not_call      boolean not null default false,
  do_not_text      boolean not null default false,
  assigned_to      uuid,
  assigned_to_team uuid,
  is_test_data     boolean,
  created_date     timestamptz, -- a business date; where it is missing created_at stands in
  created_at       timestamptz not null default now(),
  updated_at       timestamptz not null default now(),
  metadata         jsonb not null default '{}',
  primary key (tenant_id, id)
);

create index leads_by_creation on leads (tenant_id, created_at desc, id)
  include (is_test_data, status, source, created_date, assigned_to, assigned_to_team);

create table opportunities (
  tenant_id        uuid not null references public.tenant (id) on delete cascade,
  id               uuid not null default gen_random_uuid(),
  name             text not null,
  amount           numeric,
  stage            text check (length(stage) <= 100), -- six stages and their older spellings; null counts as open
  probability      integer,
  expected_revenue numeric,
  close_date       date,
  account_id       uuid,
  contact_id       uuid,
  lead_id          uuid,
  source           text check (length(source) <= 100),
  assigned_to      uuid,
  assigned_to_team uuid,
  is_test_data     boolean,
  created_date     timestamptz,
  created_at       timestamptz not null default now(),
  updated_at       timestamptz not null default now(),
  metadata         jsonb not null default '{}',
  primary key (tenant_id, id)
);

create index opportunities_by_update on opportunities (tenant_id, updated_at desc, id)
  include (is_test_data, stage, amount, assigned_to, assigned_to_team);

create table activities (
  tenant_id        uuid not null references public.tenant (id) on delete cascade,
  id               uuid not null default gen_random_uuid(),
  type             text not null,
  subject          text,
  status           text,
  priority         text check (priority in ('low', 'normal', 'high', 'urgent')),
  due_date         date,
  due_time         time,
  duration_minutes integer,
  related_to       text,
  related_id       uuid,
  assigned_to      uuid,
  assigned_to_team uuid,
  is_test_data     boolean,
  created_date     timestamptz,
  created_at       timestamptz not null default now(),
  updated_at       timestamptz not null default now(),
  metadata         jsonb not null default '{}',
  primary key (tenant_id, id)
);

create index activities_by_creation on activities (tenant_id, created_at desc, id);
create index activities_by_business_date on activities (tenant_id, coalesce(created_date, created_at))
  include (is_test_data, created_date, created_at, assigned_to, assigned_to_team);

create table bizdev_sources (
  tenant_id    uuid not null references public.tenant (id) on delete cascade,
  id           uuid not null default gen_random_uuid(),
  source       text not null,
  company_name text,
  status       text check (length(status) <= 100), -- Promoted is the last one
  priority     text,
  assigned_to  uuid,
  is_test_data boolean,
  created_date timestamptz,
  created_at   timestamptz not null default now(),
  updated_at   timestamptz not null default now(),
  metadata     jsonb not null default '{}',
  primary key (tenant_id, id)
);

create index bizdev_sources_counted on bizdev_sources (tenant_id) include (is_test_data, status, assigned_to);
