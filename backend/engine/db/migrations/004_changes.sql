-- Committed writes to sources, appended by their triggers and taken off by the drainer. A refreshed view is a source, too.
create table refresh_queue (
  id         bigint generated always as identity primary key,
  source     text not null, -- schema.table, or schema.view
  tenant_id  uuid,          -- null: all tenants
  operation  text not null,
  xid        xid8 not null default pg_current_xact_id(),
  changed_at timestamptz not null default clock_timestamp()
);

-- Entries whose data has moved: made in the transaction that takes the changes off the queue, so that nothing a drainer
-- that dies had taken is lost, and deleted when the cache knows of it and they are warm again.
create table dirty_entry (
  report        text not null, -- DOMAIN:REPORT
  tenant        text not null, -- a tenant's id, or SUPERADMIN_GLOBAL
  change        bigint not null, -- moves with every further change
  changed_at    timestamptz not null,
  is_moved      boolean not null default false, -- whether the cache knows
  rewarms       boolean not null, -- false while only a view under the report is behind
  claimed_until timestamptz,
  primary key (report, tenant)
);

create sequence dirty_entry_number;
create index dirty_entry_unmoved on dirty_entry (changed_at) where not is_moved;
