// What commands work with: the configuration, the installed domains, and the engine when they need it.
import { join } from 'node:path'
import { readConfig, type Config } from '../config.ts'
import { SECOND, systemClock } from '../engine/clock.ts'
import type { Domain } from '../engine/domain.ts'
import { messageOf, PrewarmError } from '../engine/errors.ts'
import { createEngine, type Engine, type EngineSettings } from '../engine/engine.ts'
import { notInstalled } from '../engine/install.ts'
import { createLog, type Log } from '../engine/log.ts'
import { openResources, type Resources } from '../engine/resources.ts'
import { secretIn } from '../engine/servers/index.ts'
import type { TokenOptions } from '../http/index.ts'
import { loadDomains } from './load-domains.ts'
import { stopInTime, untilStopped } from './stopping.ts'

export type Context = {
  config: Config
  domains: readonly Domain[]
  log: Log
}

export type Opened = Context & { resources: Resources; engine: Engine }

export async function readContext(builtIn: readonly Domain[], logLevel?: string): Promise<Context> {
  const config = readConfig()
  const log = createLog({ level: logLevel ?? config.LOG_LEVEL, format: config.LOG_FORMAT })
  const domains = [...builtIn, ...(await loadDomains(config.PREWARM_DOMAINS, builtIn))]
  return { config, domains, log }
}

/** What has to be there before the work can begin: a database that answers, and in it the tables. */
export type Needs = 'nothing' | 'database' | 'tables'

/** Opens what the work needs and closes it again, however the work ends, and also when it is interrupted. */
export function withEngine<T>(
  context: Context,
  work: (opened: Opened) => Promise<T>,
  needs: Needs = 'tables',
): Promise<T> {
  return untilStopped(async (stopped) => {
    const opened = await open(context, needs)
    try {
      return await Promise.race([work(opened), stopped.then(refuseToGoOn)])
    } finally {
      await stopInTime(opened)
    }
  })
}

function refuseToGoOn(): never {
  throw new PrewarmError('unavailable', 'Interrupted: not everything was done.')
}

export async function open(context: Context, needs: Needs): Promise<Opened> {
  const resources = await withResources(context)
  try {
    const { domains, config, log } = context
    if (needs !== 'nothing') await checkDatabase(resources)
    if (needs === 'tables') await checkTables(resources, domains)
    const settings = settingsOf(config)
    const engine = await createEngine({ domains, resources, settings, clock: systemClock, log })
    return { ...context, resources, engine }
  } catch (error) {
    await resources.stop()
    throw error
  }
}

async function checkDatabase({ db }: Resources): Promise<void> {
  await db.query('select 1').catch((cause: unknown) => {
    const message = `DATABASE_URL: the database cannot be used: ${messageOf(cause)}.`
    throw new PrewarmError('unavailable', message, { field: 'DATABASE_URL', cause })
  })
}

async function checkTables({ db }: Resources, domains: readonly Domain[]): Promise<void> {
  const { length } = await notInstalled(db, domains)
  if (length === 0) return
  const message = `Migrations have to be applied first (${length}): run "prewarm migrate".`
  throw new PrewarmError('unavailable', message, { field: 'DATABASE_URL' })
}

function withResources({ config, domains, log }: Context): Promise<Resources> {
  return openResources({
    databaseUrl: config.DATABASE_URL,
    redisUrl: config.REDIS_CACHE_URL,
    queueUrl: config.REDIS_QUEUE_URL,
    home: config.home,
    schemas: domains.map((domain) => domain.name),
    poolSize: config.DATABASE_POOL,
    reportPoolSize: config.REPORT_POOL,
    reportTimeoutMs: config.REPORT_TIMEOUT_MS,
    cacheCommandTimeoutMs: config.CACHE_COMMAND_TIMEOUT_MS,
    maxLifetimeMs: config.CACHE_HARD_TTL_SECONDS * SECOND,
    redisMaxMemoryMb: config.CACHE_REDIS_MAX_MB,
    memoryStoreBytes: config.CACHE_MEMORY_MAX_MB * MEBIBYTE,
    log,
  })
}

const MEBIBYTE = 1024 * 1024

export function settingsOf(config: Config): EngineSettings {
  return {
    roles: config.PREWARM_ROLES,
    lifetimeMs: config.CACHE_HARD_TTL_SECONDS * SECOND,
    freshMs: config.CACHE_FRESH_SECONDS * SECOND,
    reportTimeoutMs: config.REPORT_TIMEOUT_MS,
    readsViews: config.PREWARM_VIEWS === 'on',
    batchTenants: config.WARM_BATCH_TENANTS,
    warmConcurrency: config.WARM_CONCURRENCY,
    rewarmMs: config.REWARM_SECONDS * SECOND,
    laneConcurrency: config.LANE_CONCURRENCY,
    cronConcurrency: config.CRON_CONCURRENCY,
    cronLeaseMs: config.CRON_LEASE_SECONDS * SECOND,
    localTrustMs: config.CACHE_LOCAL_TRUST_MS,
    localMaxBytes: config.CACHE_LOCAL_MAX_MB * MEBIBYTE,
    monitoring: monitoringOf(config),
  }
}

function monitoringOf(config: Config): EngineSettings['monitoring'] {
  const { ALERT_WEBHOOK_URL: url, ALERT_WEBHOOK_SECRET: secret } = config
  return {
    viewLateMarginMs: config.ALERT_VIEW_LATE_MARGIN_SECONDS * SECOND,
    webhook: url ? { url, secret } : undefined,
    logsRequests: config.API_LOG === 'on',
  }
}

/** The secret is the configured one, else one that was generated once and lies in the home folder. */
export async function tokenOptions({ config }: Context): Promise<TokenOptions> {
  return {
    secret: config.JWT_SECRET ?? (await secretIn(join(config.home, 'tokens'))),
    jwksUrl: config.JWT_JWKS_URL,
    issuer: config.JWT_ISSUER,
    audience: config.JWT_AUDIENCE,
    cronSecret: config.CRON_SECRET,
    refreshToken: config.MATERIALIZED_VIEWS_REFRESH_TOKEN,
  }
}
