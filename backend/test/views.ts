// A domain made for tests, with a table of sales, two views of it, and one above: mv_days → mv_totals, and mv_staff beside them.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import type { Db } from '../engine/db/index.ts'
import type { Domain, View } from '../engine/domain.ts'
import { install } from '../engine/install.ts'
import {
  createViews,
  loadViews,
  type ViewFreshness,
  type Views,
  type ViewsOptions,
} from '../engine/views/index.ts'
import { testDatabase } from './database.ts'
import { testFolder } from './folder.ts'
import { closeGateIn } from './gate.ts'
import { testLog, type LogEntry } from './log.ts'

export type ViewWorld = {
  db: Db
  url: string
  domain: Domain
  log: LogEntry[]
  /** One more instance, which plans only when `tick` is called. */
  views(options?: Partial<ViewsOptions>): Promise<Views>
  /** Installs the domain as it is now, and returns what was done with its views. */
  install(): Promise<string[]>
  /** Changes the text of a view, as a new version of the program would. */
  write(view: string, select: string): Promise<void>
  /** Changes what the domain says of a view, as a new version of the program would. */
  define(view: string, changes: Partial<View> | undefined): void
  /** A new tenant with a sale of each of the amounts. */
  sell(...amounts: number[]): Promise<string>
  state(view: string): Promise<ViewFreshness>
  /** Makes the last refresh longer ago. */
  age(view: string, seconds: number): Promise<void>
  /** Refreshes of mv_staff that have begun wait until the gate is opened. */
  closeGate(): Promise<{ open: () => Promise<void> }>
  /** How many refreshes and rebuildings wait for a lock. */
  blocked(): Promise<number>
  /** How the refreshes of a view ended, the oldest first. */
  runs(
    view: string,
  ): Promise<{ status: string; triggered_by: string; error_message: string | null }[]>
  /** Makes the time until which a failed or debounced view waits come now. */
  hurry(): Promise<void>
  end(): Promise<void>
}

const GATE = 4712

const SCHEMA = `
  create table sales (id bigint generated always as identity primary key, tenant_id uuid, day date not null, amount numeric not null);
  create table staff (tenant_id uuid not null, name text not null);
  create table full_disks (name text);
  create function pass() returns boolean language plpgsql as $$
  begin
    perform pg_advisory_xact_lock_shared(${GATE});
    if exists (select from shop.full_disks) then
      raise exception 'could not extend file: No space left on device' using errcode = 'disk_full';
    end if;
    return true;
  end
  $$;`

export const SELECTS = {
  mv_days: `select tenant_id, day, sum(amount) as amount, count(*) as sales from shop.sales group by tenant_id, day`,
  mv_totals: `select tenant_id, sum(amount) as amount from shop.mv_days group by tenant_id`,
  mv_staff: `select tenant_id, name from shop.staff where (select shop.pass())`,
}

export async function viewWorld(): Promise<ViewWorld> {
  const { db, url, drop } = await testDatabase({ empty: true })
  const folder = await testFolder()
  const { log, entries } = testLog()
  const domain = domainIn(folder.path)
  const opened: Views[] = []
  await writeDomain(folder.path)
  return {
    db,
    url,
    domain,
    log: entries,
    views: async (options) => {
      const views = createViews({ catalog: await loadViews([domain]), db, log, ...options })
      opened.push(views)
      return views
    },
    install: async () => (await install(db, [domain], log)).views,
    write: (view, select) => writeFile(join(folder.path, 'views', `${view}.sql`), select),
    define: (view, changes) => define(domain, view, changes),
    ...onDatabase(db),
    end: async () => {
      await Promise.all(opened.map((views) => views.stop()))
      await drop()
      await folder.remove()
    },
  }
}

async function writeDomain(folder: string): Promise<void> {
  await mkdir(join(folder, 'schema'))
  await mkdir(join(folder, 'views'))
  await writeFile(join(folder, 'schema', '001.sql'), SCHEMA)
  for (const [view, select] of Object.entries(SELECTS))
    await writeFile(join(folder, 'views', `${view}.sql`), select)
}

type OnDatabase = Pick<
  ViewWorld,
  'sell' | 'state' | 'blocked' | 'runs' | 'age' | 'hurry' | 'closeGate'
>

function onDatabase(db: Db): OnDatabase {
  return {
    sell: (...amounts) => sell(db, amounts),
    state: (view) => stateOf(db, view),
    blocked: async () => {
      const rows = await db.query(
        `select from pg_stat_activity
         where datname = current_database() and application_name = 'prewarm views' and wait_event_type = 'Lock'`,
      )
      return rows.length
    },
    runs: (view) =>
      db.query(
        `select status, triggered_by, error_message from job_runs
         where view_name = $1 and kind = 'refresh' order by created_at`,
        [view],
      ),
    age: async (view, seconds) => {
      await db.query(
        'update view_state set last_success_at = last_success_at - make_interval(secs => $2) where view_name = $1',
        [view, seconds],
      )
    },
    hurry: async () => {
      await db.query(
        'update view_state set not_before = clock_timestamp() where not_before is not null',
      )
    },
    closeGate: () => closeGateIn(db, GATE),
  }
}

const HOUR_SECONDS = 3600

function domainIn(folder: string): Domain & { views: Record<string, View> } {
  const view = {
    refresh: [{ everySeconds: HOUR_SECONDS }],
    targetLagSeconds: HOUR_SECONDS,
  } as const
  return {
    name: 'shop',
    folder,
    sources: { sales: { tenantColumn: 'tenant_id' }, staff: { tenantColumn: 'tenant_id' } },
    views: {
      // Not in order: a view comes after those that it reads, whatever the order here.
      mv_totals: { ...view, uniqueBy: ['tenant_id'], reads: ['mv_days'] },
      mv_days: { ...view, uniqueBy: ['tenant_id', 'day'], reads: ['sales'], indexes: [['day']] },
      mv_staff: { ...view, uniqueBy: ['tenant_id', 'name'], reads: ['staff'] },
    },
    reports: {},
    jobs: {},
    schedules: [],
  }
}

function define(domain: Domain, name: string, changes: Partial<View> | undefined): void {
  const views: Record<string, View> = { ...domain.views }
  const view = views[name]
  if (changes && view) views[name] = { ...view, ...changes }
  else delete views[name]
  Object.assign(domain, { views })
}

async function sell(db: Db, amounts: readonly number[]): Promise<string> {
  const tenant = randomUUID()
  await db.query("insert into tenant (id, name) values ($1, 'A shop')", [tenant])
  await db.query(
    "insert into shop.sales (tenant_id, day, amount) select $1, '2026-01-01', unnest($2::numeric[])",
    [tenant, amounts],
  )
  return tenant
}

async function stateOf(db: Db, view: string): Promise<ViewFreshness> {
  const [state] = await db.query<ViewFreshness>(
    'select * from view_freshness where view_name = $1',
    [view],
  )
  if (!state) throw new Error(`There is no view ${view}.`)
  return state
}
