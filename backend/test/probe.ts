// A domain made for tests. Its one report tells how often it was computed, and does for single tenants what a test wants: it
// fails, or takes too long, or waits at a gate.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Entry } from '../engine/cache/index.ts'
import type { Db } from '../engine/db/index.ts'
import type { Domain, Report } from '../engine/domain.ts'
import { testApp, type AppOptions, type TestApp } from './app.ts'
import { testDatabase } from './database.ts'
import { testFolder } from './folder.ts'
import { closeGateIn } from './gate.ts'

export type Probe = {
  db: Db
  databaseUrl: string
  domain: Domain
  /** One more instance of the service on this database. */
  app(options?: AppOptions): Promise<TestApp>
  /** New tenants, the most recently seen first. */
  tenants(count: number, timezone?: string): Promise<string[]>
  /** How often an answer for a tenant was begun to be computed, failed ones too. */
  computations(): Promise<number>
  /** What happens from now on when the report comes to this tenant. */
  make(tenantId: string, act: 'fail' | 'sleep' | 'answer'): Promise<void>
  /** What the report says of this tenant from now on. */
  say(tenantId: string, word: string): Promise<void>
  /** Computations that have begun wait until the gate is opened. */
  closeGate(): Promise<{ open: () => Promise<void> }>
  /** Tenants that there are become inactive, and computations are counted from 0 again. */
  reset(): Promise<void>
  end(): Promise<void>
}

export type ProbeOptions = { report?: Partial<Report>; sql?: string }

/** `computation` is the number of the computation behind the answer. */
export type ProbeData = { computation: number; word: string }

/** What a read was answered with. In an error the computation is 0. */
export type ProbeAnswer = ProbeData & {
  status: number
  cache: string | null
  body: string
}

const GATE = 4711

const SCHEMA = `
  create schema probe;
  create sequence probe.computations;
  create table probe.tenants (id uuid primary key, act text not null default 'answer', word text not null default 'hello');
  create function probe.visit(tenant uuid) returns bigint language plpgsql volatile as $$
  declare
    act text := (select t.act from probe.tenants t where t.id = tenant);
    number bigint := nextval('probe.computations');
  begin
    perform pg_advisory_xact_lock_shared(${GATE});
    if act = 'sleep' then perform pg_sleep(60); end if;
    return case act when 'fail' then number / 0 else number end;
  end
  $$`

const REPORT_SQL = `
  select id as tenant_id, json_build_object('computation', probe.visit(id), 'word', word) as data
  from probe.tenants
  where id = any (:'tenant_ids'::uuid[])
  order by id`

export async function probe({ report = {}, sql = REPORT_SQL }: ProbeOptions = {}): Promise<Probe> {
  const { db, url: databaseUrl, drop } = await testDatabase()
  const folder = await testFolder()
  await Promise.all([db.query(SCHEMA), writeReport(folder.path, sql)])
  const domain = domainIn(folder.path, report)
  const apps: TestApp[] = []
  return {
    db,
    databaseUrl,
    domain,
    app: async (options) => {
      const app = await testApp({ databaseUrl, domains: [domain], ...options })
      apps.push(app)
      return app
    },
    tenants: (count, timezone = 'UTC') => insertTenants(db, count, timezone),
    computations: () => countComputations(db),
    make: (id, act) => setTenant(db, id, { act }),
    say: (id, word) => setTenant(db, id, { word }),
    closeGate: () => closeGateIn(db, GATE),
    reset: async () => {
      await db.query('update tenant set is_active = false')
      await db.query('alter sequence probe.computations restart')
    },
    end: async () => {
      await Promise.all(apps.map((app) => app.stop()))
      await drop()
      await folder.remove()
    },
  }
}

/** What an entry says. */
export function probeData({ body }: Entry): ProbeData {
  const data: ProbeData = JSON.parse(body.toString())
  return data
}

/** Reads the report of one tenant as a superadmin. */
export async function readProbe(app: TestApp, tenantId: string, query = ''): Promise<ProbeAnswer> {
  const path = `/api/reports/probe/counted?tenant_id=${tenantId}${query}`
  const response = await app.get(path, await app.token())
  const body = await response.text()
  const answer: { data?: ProbeData } = JSON.parse(body)
  const data = answer.data ?? { computation: 0, word: '' }
  return { status: response.status, cache: response.headers.get('x-cache'), body, ...data }
}

async function writeReport(folder: string, sql: string): Promise<void> {
  await mkdir(join(folder, 'reports'))
  await writeFile(join(folder, 'reports', 'counted.sql'), sql)
}

function domainIn(folder: string, report: Partial<Report>): Domain {
  return {
    name: 'probe',
    folder,
    sources: {},
    reports: { counted: { title: 'Counted', reads: [], changesAt: 'local midnight', ...report } },
    jobs: {
      warmCounted: { warm: 'counted', tenants: 'all' },
      rollOverCounted: { warm: 'counted', tenants: 'expired' },
    },
    schedules: [],
  }
}

async function insertTenants(db: Db, count: number, timezone: string): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    `with made as (
       insert into tenant (name, timezone, last_seen_at)
       select 'Tenant ' || n, $2, now() - make_interval(mins => n)
       from generate_series(1, $1::integer) n
       returning id, last_seen_at
     ), known as (
       insert into probe.tenants (id) select id from made
     )
     select id from made order by last_seen_at desc`,
    [count, timezone],
  )
  return rows.map(({ id }) => id)
}

async function countComputations(db: Db): Promise<number> {
  const rows = await db.query<{ count: string }>(
    'select case when is_called then last_value else 0 end as count from probe.computations',
  )
  return Number(rows[0]?.count)
}

async function setTenant(
  db: Db,
  id: string,
  { act, word }: { act?: string; word?: string },
): Promise<void> {
  await db.query(
    'update probe.tenants set act = coalesce($2, act), word = coalesce($3, word) where id = $1',
    [id, act, word],
  )
}
