-- The customers of the application. A team that has such a table already makes this one a view or fills it.
create table tenant (
  id           uuid primary key default gen_random_uuid(),
  name         text not null,
  slug         text unique,
  is_active    boolean not null default true,
  -- An IANA zone; the check raises an error for a name that PostgreSQL does not know.
  timezone     text not null default 'UTC' check ((timestamptz 'epoch' at time zone timezone) is not null),
  last_seen_at timestamptz,
  created_at   timestamptz not null default now(),
  updated_at   timestamptz not null default now()
);

-- Warming goes by recent activity: whoever was here last is the likeliest to come back first.
create index tenant_by_activity on tenant (last_seen_at desc nulls last, id) where is_active;
