// Puts the parts together. The engine knows no domain by name: what it installs, warms and serves comes in as values.
import { randomUUID } from 'node:crypto'
import { createChanges, type Changes } from './changes/index.ts'
import type { Clock } from './clock.ts'
import { createCron, housekeeping, type Cron, type CronJob } from './cron/index.ts'
import type { Domain } from './domain.ts'
import { createExecutors, type Executor, type Executors } from './jobs/index.ts'
import { createLanes, type Lanes } from './lanes/index.ts'
import { checkLifetime, renewAhead } from './lifetime.ts'
import type { Log } from './log.ts'
import {
  checkHealth,
  createMonitoring,
  type Health,
  type Monitoring,
  type MonitoringSettings,
} from './monitoring/index.ts'
import { createReports, loadCatalog, warmExecutor } from './reports/index.ts'
import type { Catalog, Reports, WarmOptions, WarmSummary } from './reports/index.ts'
import type { Resources } from './resources.ts'
import type { Service } from './service.ts'
import { createViews, loadViews, refreshExecutor, type Views } from './views/index.ts'

export const ROLES = ['api', 'scheduler', 'worker'] as const

/** What a process does beside answering requests: nothing (`api`), what is due by the clock, or what lies in the queues. */
export type Role = (typeof ROLES)[number]

export type EngineSettings = {
  roles: readonly Role[]
  /** The nominal hard lifetime of entries. */
  lifetimeMs: number
  /** How long entries are fresh at most. */
  freshMs: number
  reportTimeoutMs: number
  /** With `false` reports are computed from the source tables, as if there were no views. */
  readsViews: boolean
  batchTenants: number
  warmConcurrency: number
  /** How often an entry is computed again at most because its data changed. */
  rewarmMs: number
  /** Jobs of the lanes at the same time. */
  laneConcurrency: number
  cronConcurrency: number
  cronLeaseMs: number
  localTrustMs: number
  localMaxBytes: number
  monitoring: MonitoringSettings
}

export type EngineOptions = {
  domains: readonly Domain[]
  resources: Resources
  settings: EngineSettings
  clock: Clock
  log: Log
}

export type Engine = Service & {
  domains: readonly Domain[]
  views: Views
  reports: Reports
  lanes: Lanes
  changes: Changes
  cron: Cron
  monitoring: Monitoring
  /** Makes the cron jobs of the domains that do not exist yet, and returns their names. */
  seed(): Promise<string[]>
  health(): Promise<Health>
  /** Seeds, checks that entries outlive the time between two warmings, and starts the heartbeat. */
  start(): Promise<void>
}

/** Renewed as long as the work goes on, so it is how long a computation of a process that died holds up the others. */
const LEASE_MS = 3000
// A computation may take the whole statement timeout, and some time to be written.
const PATIENCE_GRACE_MS = 5000

export async function createEngine(options: EngineOptions): Promise<Engine> {
  const { domains, resources, settings, clock, log } = options
  const { db, store } = resources
  const viewCatalog = await loadViews(domains)
  const { readsViews, rewarmMs } = settings
  const reports = reportsOf(options, await loadCatalog(domains, { views: viewCatalog, readsViews }))
  const lanes = lanesOf(options, reports)
  let isStarted = false
  const own = housekeeping(db, clock)
  const views = createViews({ catalog: viewCatalog, db, lanes, log })
  const executors = createExecutors([
    ...own.executors,
    ...warmers(options, reports, () => (isStarted ? lanes : undefined)),
    ...refreshers(domains, views, clock),
  ])
  const cron = cronOf(options, executors)
  const changes = createChanges({ db, store, reports, clock, log, rewarmMs })
  const monitoring = monitoringOf(options)
  const seed = (): Promise<string[]> =>
    cron.seedSchedules([...own.schedules, ...domains.flatMap(({ schedules }) => schedules)])
  const parts = { views, lanes, changes, cron, monitoring }
  return {
    ...parts,
    domains,
    reports,
    seed,
    health: () => checkHealth(db, store),
    start: async () => {
      await seed()
      const { lifetimeMs, roles } = settings
      checkLifetime(await activeJobs(cron, executors), { domains, lifetimeMs, now: clock() })
      isStarted = true
      await startRoles(roles, parts)
    },
    stop: async () => {
      await stopParts(parts)
      await reports.idle()
    },
  }
}

type Parts = Pick<Engine, 'lanes' | 'changes' | 'cron' | 'views' | 'monitoring'>

async function startRoles(roles: readonly Role[], parts: Parts): Promise<void> {
  if (roles.includes('worker')) {
    await parts.lanes.start()
    parts.changes.start()
  }
  if (roles.includes('scheduler')) {
    await parts.cron.start()
    await parts.views.start()
    parts.monitoring.start()
  }
}

// The lanes after the others, which wait for what is done there.
async function stopParts({ lanes, ...others }: Parts): Promise<void> {
  await Promise.all(Object.values(others).map((part) => part.stop()))
  await lanes.stop()
}

function reportsOf(
  { domains, resources, settings, clock, log }: EngineOptions,
  catalog: Catalog,
): Reports {
  const renewAheadOf = renewAhead(domains, clock())
  return createReports({
    catalog,
    db: resources.reportDb,
    store: resources.store,
    bulkStore: resources.bulkStore,
    clock,
    log,
    settings: {
      ...settings,
      leaseMs: LEASE_MS,
      patienceMs: settings.reportTimeoutMs + PATIENCE_GRACE_MS,
      renewAheadMs: ({ id }) => renewAheadOf(id),
      concurrency: settings.warmConcurrency,
    },
  })
}

function lanesOf({ resources, settings, log }: EngineOptions, reports: Reports): Lanes {
  const { laneConcurrency: concurrency } = settings
  const lanes = createLanes({ backend: resources.queue, concurrency, log })
  reports.workOn(lanes)
  return lanes
}

function cronOf(
  { resources: { db }, settings, clock, log }: EngineOptions,
  executors: Executors,
): Cron {
  return createCron({
    db,
    executors,
    clock,
    log,
    instanceId: randomUUID(),
    leaseMs: settings.cronLeaseMs,
    concurrency: settings.cronConcurrency,
  })
}

function monitoringOf(options: EngineOptions): Monitoring {
  const { resources, settings, clock, log } = options
  const domains = options.domains.map(({ name }) => name)
  return createMonitoring({ db: resources.db, domains, settings: settings.monitoring, clock, log })
}

/** With the name that each function has in its domain, whichever of its spellings the job has. */
async function activeJobs(cron: Cron, executors: Executors): Promise<CronJob[]> {
  const jobs = await cron.jobs.list({ isActive: true })
  return jobs.map((job) => {
    const { name = job.function_name } = executors.find(job.function_name) ?? {}
    return { ...job, function_name: name }
  })
}

/** `lanesNow` is empty as long as this process does not serve: then a job is done where it was asked for. */
function warmers(
  { domains, clock: now }: EngineOptions,
  reports: Reports,
  lanesNow: () => Lanes | undefined,
): [string, Executor][] {
  return domains.flatMap((domain) =>
    Object.entries(domain.jobs).flatMap(([name, job]): [string, Executor][] => {
      const report = 'warm' in job ? reports.catalog.find(domain.name, job.warm) : undefined
      if (!report || !('warm' in job)) return []
      const warm = (how: WarmOptions): Promise<WarmSummary> =>
        reports.warm(report, { ...how, lanes: lanesNow() })
      return [[name, warmExecutor(warm, { report, job, now })]]
    }),
  )
}

function refreshers(domains: readonly Domain[], views: Views, clock: Clock): [string, Executor][] {
  return domains.flatMap((domain) =>
    Object.entries(domain.jobs).flatMap(([name, job]): [string, Executor][] =>
      'refresh' in job ? [[name, refreshExecutor(views, { names: job.refresh, now: clock })]] : [],
    ),
  )
}
