// Processes that follow the changes of a table: the probe's tenants, of which the report shows a word.
import { createRedisStore, type Store } from '../engine/cache/index.ts'
import { createChanges, installChanges, type Changes } from '../engine/changes/index.ts'
import { HOUR, systemClock, type Clock } from '../engine/clock.ts'
import { connect, type Db } from '../engine/db/index.ts'
import type { Domain, Report } from '../engine/domain.ts'
import type { CacheState, Reports, ReportSettings } from '../engine/reports/index.ts'
import { testLog, type LogEntry } from './log.ts'
import { probe, probeData, type Probe } from './probe.ts'
import { testRedis, type TestRedis } from './redis.ts'
import { onlyReport, reportsOver } from './reports.ts'

export type Follower = {
  reports: Reports
  changes: Changes
  db: Db
  log: LogEntry[]
  /** The report of a tenant, or of all merged. */
  read: (tenant: string) => Promise<{ cache: CacheState; word: string; computation: number }>
  /** As a process that is killed: nothing is finished. */
  stop: () => Promise<void>
}

export type FollowerOptions = {
  redisUrl?: string
  databaseUrl?: string
  clock?: Clock
  rewarmMs?: number
  settings?: Partial<ReportSettings>
  /** Stands between the drainer and its cache. */
  around?: (store: Store) => Partial<Store>
}

export type ChangesWorld = Probe & {
  redis: TestRedis
  tenant(): Promise<string>
  follower(options?: FollowerOptions): Promise<Follower>
  /** Stops all followers, and forgets what changed. */
  settle(): Promise<void>
}

const MERGED_SQL = `
  select case when :'merge' = 'true' then null else id end as tenant_id,
    json_build_object('computation', max(probe.visit(id)), 'word', string_agg(word, ' ' order by word)) as data
  from probe.tenants
  where id = any (:'tenant_ids'::uuid[])
  group by 1`

export async function changesWorld({ merges = false } = {}): Promise<ChangesWorld> {
  const report = { mergesTenants: merges }
  const [world, redis] = await Promise.all([
    probe({ report, ...(merges ? { sql: MERGED_SQL } : {}) }),
    testRedis(),
  ])
  const domain = tracked(world.domain, report)
  await installChanges(world.db, [domain])
  const followers: Follower[] = []
  const settle = async (): Promise<void> => {
    await Promise.all(followers.splice(0).map((follower) => follower.stop()))
    await world.db.query('truncate refresh_queue, dirty_entry')
  }
  return {
    ...world,
    domain,
    redis,
    tenant: async () => (await world.tenants(1))[0] ?? '',
    follower: async (options) => {
      const follower = await follow({ world, domain, redis }, options)
      followers.push(follower)
      return follower
    },
    settle,
    end: async () => {
      await settle()
      await world.end()
      await redis.stop()
    },
  }
}

function tracked(domain: Domain, report: Partial<Report>): Domain {
  const counted = { title: 'Counted', changesAt: 'local midnight', ...report } as const
  return {
    ...domain,
    sources: { tenants: { tenantColumn: 'id' } },
    reports: { counted: { ...counted, reads: ['tenants'] } },
  }
}

type Places = { world: Probe; domain: Domain; redis: TestRedis }

async function follow(
  { world, domain, redis }: Places,
  { clock = systemClock, rewarmMs = 0, settings, around, ...urls }: FollowerOptions = {},
): Promise<Follower> {
  const { log, entries } = testLog()
  const { databaseUrl: connectionString = world.databaseUrl, redisUrl: url = redis.url } = urls
  const pool = { applicationName: 'follower', max: 5, statementTimeoutMs: 15_000, schemas: [] }
  const db = connect({ ...pool, connectionString, log })
  const lifetime = { commandTimeoutMs: 1000, maxLifetimeMs: 36 * HOUR }
  const store = await createRedisStore({ url, ...lifetime, log })
  const parts = { db, store, clock }
  const reports = await reportsOver({
    ...parts,
    domains: [domain],
    settings: { rewarmMs, ...settings },
  })
  const changed = { ...store, ...around?.(store) }
  const changes = createChanges({ db, store: changed, reports, clock, log, rewarmMs })
  return {
    reports,
    changes,
    db,
    log: entries,
    read: (tenant) => read(reports, tenant),
    stop: async () => {
      await changes.stop()
      await reports.idle()
      await Promise.all([store.stop(), db.end()])
    },
  }
}

async function read(reports: Reports, tenantId: string): ReturnType<Follower['read']> {
  const scope = { tenantId, visibleTo: null, teamId: null, assignedTo: null }
  const request = { report: onlyReport(reports), scope, variant: null }
  const { cache, entry } = await reports.read(request, { bust: false })
  return { cache, ...probeData(entry) }
}
