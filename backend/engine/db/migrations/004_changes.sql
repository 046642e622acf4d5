-- Committed writes to sources, appended by their triggers and taken off by the drainer. A refreshed view is a source, too.
-- It has no key, index or sequence, because each would cost every writer; a row is known by its ctid, and its transaction by
-- its xmin.
create table refresh_queue (
  source     text not null, -- schema.table, or schema.view
  tenant_id  uuid,          -- null: all tenants
  operation  text not null,
  changed_at timestamptz not null default clock_timestamp()
);

-- It is nearly empty and always in motion: what is dead in it must not pile up. It is not made shorter either, because
-- that locks writers out for a moment, and it soon grows again.
alter table refresh_queue set (
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, vacuum_truncate = off
);

-- Who reads which source; a view that is read is a source. It stands here so that a drainer whose program is older than the
-- newest domains does not take a change off the queue without noting it for all who read it.
create table source_reader (
  source           text not null,
  kind             text not null check (kind in ('view', 'report')),
  reader           text not null, -- the view's name, or DOMAIN:REPORT
  is_direct        boolean not null, -- a report: not only through a view
  merges_tenants   boolean not null default false, -- a report: there is an entry of all tenants merged
  debounce_seconds double precision, -- a view: refreshed so long after a change; null: not because of a change
  primary key (source, kind, reader)
);

-- Entries whose data has moved: made in the transaction that takes the changes off the queue, so that nothing a drainer
-- that dies had taken is lost. A row goes when the cache knows, the entry is warm again, and has rested.
create table dirty_entry (
  report        text not null, -- DOMAIN:REPORT
  tenant        text not null, -- a tenant's id, or SUPERADMIN_GLOBAL
  change        bigint not null, -- moves with every further change
  changed_at    timestamptz not null, -- the oldest change that the cache does not know of
  is_moved      boolean not null default false, -- whether the cache knows
  moving_until  timestamptz, -- somebody is telling it
  rewarms       boolean not null, -- false while only a view under the report is behind
  claimed_until timestamptz, -- somebody is re-warming it
  rests_until   timestamptz, -- it was re-warmed a moment ago
  primary key (report, tenant)
);

create sequence dirty_entry_number;
create index dirty_entry_unmoved on dirty_entry (changed_at) where not is_moved;

-- Holds the time (milliseconds since 1970) at which a trigger last woke the drainers. A sequence, because reading and setting it
-- waits for no other transaction.
create sequence refresh_queue_woken;
select setval('refresh_queue_woken', 1);

-- Called by triggers, a few times in a second at most. Transactions that NOTIFY commit one after the other, so of all that are
-- open only one may. One that is to be prepared (two-phase commit) must not, and the drainers look by themselves every moment.
create function refresh_queue_wake() returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if current_setting('max_prepared_transactions') = '0'
    and pg_try_advisory_xact_lock(hashtext('prewarm'), hashtext('refresh_queue_wake'))
  then
    perform setval('public.refresh_queue_woken', (extract(epoch from clock_timestamp()) * 1000)::bigint);
    notify prewarm_changes;
  end if;
end
$$;

-- A tenant that is switched off has no answers any more, and one that moves to another zone has other days.
create function note_tenant_change() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into public.refresh_queue (source, tenant_id, operation)
  select reader.source, changed.id, 'TENANT'
  from (
    select after.id
    from new_rows after
    join old_rows before on before.id = after.id
    where (after.is_active, after.timezone) is distinct from (before.is_active, before.timezone)
  ) changed
  cross join (select distinct source from public.source_reader) reader;
  return null;
end
$$;
revoke execute on function note_tenant_change from public;

create trigger note_tenant_change after update on tenant
referencing old table as old_rows new table as new_rows
for each statement execute function note_tenant_change();
alter table tenant enable always trigger note_tenant_change;
