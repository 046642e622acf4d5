// Ways in which a table can tell of its changes: ours, parts of it left out or put another way, and the one that makes writers wait.
import { installChanges } from '../engine/changes/index.ts'
import type { Db } from '../engine/db/index.ts'
import type { Domain } from '../engine/domain.ts'

/** Each on a table of its own, of the same name in the schema `bench`. */
export const FORMS = {
  none: 'no trigger',
  ours: 'ours: statement-level, plpgsql, static SQL, bounded wake',
  no_wake: 'ours without the wake',
  by_setting: 'ours, but the last wake in a setting of the session',
  keyed: 'ours, but a queue with a key, an identity and the xid',
  pinned: 'ours, but with a pinned search_path',
  dynamic: 'one function for all tables, dynamic SQL',
  by_row: 'row-level',
  notifying: 'ours, but NOTIFY at every statement',
  upserting: 'upsert of one row per source and tenant',
} as const

export type Form = keyof typeof FORMS

export const forms = Object.keys(FORMS).filter((name): name is Form => name in FORMS)

const PINNED = 'set search_path = pg_catalog, pg_temp'
const STATEMENT = 'referencing new table as new_rows for each statement'

const noting = (form: Form, queue = 'public.refresh_queue'): string => `
  insert into ${queue} (source, tenant_id, operation)
  select 'bench.${form}', tenant, 'INSERT'
  from (select distinct tenant_id as tenant from new_rows) touched where tenant is not null;`

const waking = `
  if pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()) operator(pg_catalog.*) 1000 operator(pg_catalog.-) 200
    operator(pg_catalog.>) pg_catalog.pg_sequence_last_value('public.refresh_queue_woken'::pg_catalog.regclass)
  then perform public.refresh_queue_wake(); end if;`

const moment = `((pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()) operator(pg_catalog.*) 5)::pg_catalog.int8)::pg_catalog.text`

const wakingBySetting = `
  if pg_catalog.current_setting('prewarm.woken', true) is distinct from ${moment} then
    perform pg_catalog.set_config('prewarm.woken', ${moment}, false);
    perform public.refresh_queue_wake();
  end if;`

/** Each variant tells of inserts only, which favours it over ours. */
type Variant = { body: string; set?: string; level?: string }

const VARIANTS: Partial<Record<Form, Variant>> = {
  no_wake: { body: noting('no_wake') },
  by_setting: { body: noting('by_setting') + wakingBySetting },
  keyed: { body: noting('keyed', 'bench.keyed_queue') + waking },
  pinned: { body: noting('pinned') + waking, set: PINNED },
  dynamic: {
    body: `
  execute pg_catalog.format(
    'insert into public.refresh_queue (source, tenant_id, operation) select distinct %L, %I, %L from new_rows',
    pg_catalog.format('%s.%s', tg_table_schema, tg_table_name), tg_argv[0], tg_op);${waking}`,
  },
  by_row: {
    body: `
  insert into public.refresh_queue (source, tenant_id, operation) values ('bench.by_row', new.tenant_id, 'INSERT');${waking}`,
    level: 'for each row',
  },
  notifying: { body: `${noting('notifying')} notify prewarm_changes;` },
  upserting: {
    body: `
  insert into bench.pending (source, tenant_id)
  select distinct 'bench.upserting', tenant_id from new_rows
  on conflict (source, tenant_id) do update set changed_at = pg_catalog.clock_timestamp();`,
  },
}

export async function installForms(db: Db): Promise<void> {
  await db.query(`create schema bench;
    create table bench.pending (source text, tenant_id uuid, changed_at timestamptz, primary key (source, tenant_id));
    create table bench.keyed_queue (
      id bigint generated always as identity primary key, source text not null, tenant_id uuid, operation text not null,
      xid xid8 not null default pg_current_xact_id(), changed_at timestamptz not null default clock_timestamp())`)
  for (const form of forms) await installForm(db, form)
  await installChanges(db, [domain])
}

async function installForm(db: Db, form: Form): Promise<void> {
  await db.query(`create table bench.${form} (
    id bigint generated always as identity primary key,
    tenant_id uuid not null, amount integer not null, created_at timestamptz not null default now())`)
  const variant = VARIANTS[form]
  if (!variant) return
  const { body, set = '', level = STATEMENT } = variant
  await db.query(`
    create function bench.note_${form}() returns trigger language plpgsql security definer ${set} as $$
    begin ${body} return null; end $$;
    create trigger note after insert on bench.${form} ${level} execute function bench.note_${form}('tenant_id')`)
}

const domain: Domain = {
  name: 'bench',
  folder: import.meta.dirname,
  sources: { ours: { tenantColumn: 'tenant_id' } },
  reports: {},
  jobs: {},
  schedules: [],
}
