// The whole service on a database of its own: what a test asks as a user would, over HTTP.
import { domains } from '../domains/index.ts'
import { createMemoryStore, createRedisStore, type Store } from '../engine/cache/index.ts'
import { HOUR, systemClock, type Clock } from '../engine/clock.ts'
import { connect, type Db } from '../engine/db/index.ts'
import type { Domain } from '../engine/domain.ts'
import { createEngine, ROLES, type Engine, type EngineSettings } from '../engine/engine.ts'
import type { Log } from '../engine/log.ts'
import type { Resources } from '../engine/resources.ts'
import type { Principal } from '../engine/tenancy/index.ts'
import { mintToken, startHttp, type HttpServer } from '../http/index.ts'
import { testDatabase, testLog, type LogEntry } from './database.ts'

export type AppOptions = {
  /** The cache lives in the process unless given. */
  redisUrl?: string
  /** A database of the test's own unless given. */
  databaseUrl?: string
  clock?: Clock
  domains?: readonly Domain[]
  settings?: Partial<EngineSettings>
  cronSecret?: string
  refreshToken?: string
  rateLimitPerMinute?: number
  redisTimeoutMs?: number
}

export type TestApp = {
  url: string
  databaseUrl: string
  db: Db
  engine: Engine
  log: LogEntry[]
  token(principal?: Partial<Principal>, lifetimeSeconds?: number): Promise<string>
  get(path: string, token?: string, headers?: Record<string, string>): Promise<Response>
  post(path: string, body: unknown, token?: string): Promise<Response>
  stop(): Promise<void>
}

export const TEST_SECRET = 'a secret of the tests that is long enough'

const SETTINGS: EngineSettings = {
  roles: ROLES,
  lifetimeMs: 36 * HOUR,
  freshMs: 36 * HOUR,
  reportTimeoutMs: 5000,
  readsViews: true,
  batchTenants: 100,
  warmConcurrency: 2,
  rewarmMs: 0,
  laneConcurrency: 4,
  cronConcurrency: 4,
  cronLeaseMs: 10_000,
  localTrustMs: 0,
  localMaxBytes: 10_000_000,
  monitoring: { viewLateMarginMs: 300_000, webhook: undefined, logsRequests: true },
}

export async function testApp(options: AppOptions = {}): Promise<TestApp> {
  const { log, entries } = testLog()
  const settings = { ...SETTINGS, ...options.settings }
  const own = options.databaseUrl ? undefined : await testDatabase()
  const databaseUrl = options.databaseUrl ?? own?.url ?? ''
  const resources = await openResources({ ...options, databaseUrl, log, settings })
  const engine = await createEngine({
    domains: options.domains ?? domains,
    resources,
    settings,
    clock: options.clock ?? systemClock,
    log,
  })
  const http = await listen(engine, options, log)
  return {
    url: http.url,
    databaseUrl,
    db: resources.db,
    engine,
    log: entries,
    token: (principal, lifetimeSeconds = 600) => tokenFor(principal, lifetimeSeconds),
    ...client(http.url),
    stop: async () => {
      await http.stop()
      await engine.stop()
      await resources.stop()
      await own?.drop()
    },
  }
}

type ResourceOptions = AppOptions & { databaseUrl: string; log: Log; settings: EngineSettings }

async function openResources(options: ResourceOptions): Promise<Resources> {
  const { databaseUrl: connectionString, settings, log } = options
  const pool = (statementTimeoutMs: number): Db => {
    const schemas = (options.domains ?? domains).map((domain) => domain.name)
    const applicationName = 'test app'
    return connect({ connectionString, applicationName, max: 8, statementTimeoutMs, schemas, log })
  }
  const db = pool(15_000)
  const reportDb = pool(settings.reportTimeoutMs)
  const store = await openStore(options, options.redisTimeoutMs ?? 1000)
  const bulkStore = store.kind === 'redis' ? await openStore(options, 5000) : store
  return {
    db,
    reportDb,
    store,
    bulkStore,
    queue: { kind: 'postgres', url: connectionString },
    places: { database: 'the test database', cache: 'the test cache' },
    stop: async () => {
      await Promise.all([store.stop(), bulkStore.stop(), db.end(), reportDb.end()])
    },
  }
}

async function openStore(
  { redisUrl: url, clock = systemClock, log, settings }: ResourceOptions,
  commandTimeoutMs: number,
): Promise<Store> {
  return url
    ? createRedisStore({ url, commandTimeoutMs, maxLifetimeMs: settings.lifetimeMs, log })
    : createMemoryStore({ maxBytes: 100_000_000, clock })
}

function listen(engine: Engine, options: AppOptions, log: Log): Promise<HttpServer> {
  const { cronSecret, refreshToken, rateLimitPerMinute = 100_000 } = options
  return startHttp({
    engine,
    host: '127.0.0.1',
    port: 0,
    tokens: {
      secret: TEST_SECRET,
      jwksUrl: undefined,
      issuer: undefined,
      audience: undefined,
      cronSecret,
      refreshToken,
    },
    rateLimitPerMinute,
    bodyLimitBytes: 100_000,
    log,
  })
}

function client(url: string): Pick<TestApp, 'get' | 'post'> {
  return {
    get: (path, token, headers = {}) =>
      fetch(`${url}${path}`, { headers: { ...bearer(token), ...headers } }),
    post: (path, body, token) =>
      fetch(`${url}${path}`, {
        method: 'POST',
        headers: { ...bearer(token), 'content-type': 'application/json' },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
  }
}

function tokenFor(principal: Partial<Principal> = {}, lifetimeSeconds: number): Promise<string> {
  const whole = {
    subject: 'tester',
    role: 'superadmin',
    tenantId: null,
    teamIds: [],
    ...principal,
  } as const
  return mintToken(TEST_SECRET, whole, lifetimeSeconds)
}

function bearer(token: string | undefined): Record<string, string> {
  return token ? { authorization: `Bearer ${token}` } : {}
}
