// Puts the parts together. The engine knows no domain by name: what it installs, warms and serves comes in as values.
import { randomUUID } from 'node:crypto'
import type { Clock } from './clock.ts'
import { createCron, housekeeping, type Cron, type CronJob } from './cron/index.ts'
import type { Domain } from './domain.ts'
import { createExecutors, type Executor, type Executors } from './jobs/index.ts'
import { checkLifetime, renewAhead } from './lifetime.ts'
import type { Log } from './log.ts'
import { checkHealth, type Health } from './monitoring/index.ts'
import { createReports, loadCatalog, warmExecutor } from './reports/index.ts'
import type { Catalog, Reports } from './reports/index.ts'
import type { Resources } from './resources.ts'
import type { Service } from './service.ts'

export type EngineSettings = {
  /** The nominal hard lifetime of entries. */
  lifetimeMs: number
  /** How long entries are fresh at most. */
  freshMs: number
  reportTimeoutMs: number
  batchTenants: number
  warmConcurrency: number
  cronConcurrency: number
  cronLeaseMs: number
  localTrustMs: number
  localMaxBytes: number
}

export type EngineOptions = {
  domains: readonly Domain[]
  resources: Resources
  settings: EngineSettings
  clock: Clock
  log: Log
}

export type Engine = Service & {
  reports: Reports
  cron: Cron
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
  const { domains, resources, clock } = options
  const reports = reportsOf(options, await loadCatalog(domains))
  const own = housekeeping(resources.db, clock)
  const executors = createExecutors([...own.executors, ...warmers(domains, reports, clock)])
  const cron = cronOf(options, executors)
  const schedules = [...own.schedules, ...domains.flatMap((domain) => domain.schedules)]
  const seed = (): Promise<string[]> => cron.seedSchedules(schedules)
  return {
    reports,
    cron,
    seed,
    health: () => checkHealth(resources.db, resources.store),
    start: async () => {
      await seed()
      const { lifetimeMs } = options.settings
      checkLifetime(await activeJobs(cron, executors), { domains, lifetimeMs, now: clock() })
      await cron.start()
    },
    stop: async () => {
      await cron.stop()
      await reports.idle()
    },
  }
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

/** With the name that each function has in its domain, whichever of its spellings the job has. */
async function activeJobs(cron: Cron, executors: Executors): Promise<CronJob[]> {
  const jobs = await cron.jobs.list({ isActive: true })
  return jobs.map((job) => {
    const { name = job.function_name } = executors.find(job.function_name) ?? {}
    return { ...job, function_name: name }
  })
}

function warmers(domains: readonly Domain[], reports: Reports, clock: Clock): [string, Executor][] {
  return domains.flatMap((domain) =>
    Object.entries(domain.jobs).flatMap(([name, job]): [string, Executor][] => {
      const report = 'warm' in job ? reports.catalog.find(domain.name, job.warm) : undefined
      if (!report || !('warm' in job)) return []
      return [[name, warmExecutor((how) => reports.warm(report, how), { report, job, now: clock })]]
    }),
  )
}
