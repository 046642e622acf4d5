// Where the data lies: your servers when they are named, else those that Prewarm starts for itself.
import { join } from 'node:path'
import { createMemoryStore, createRedisStore, startLocalRedis, type Store } from './cache/index.ts'
import { systemClock } from './clock.ts'
import { connect, startEmbeddedPostgres, type Db } from './db/index.ts'
import type { LaneBackend } from './lanes/index.ts'
import type { Log } from './log.ts'
import type { Service } from './service.ts'

export type ResourceOptions = {
  databaseUrl: string | undefined
  redisUrl: string | undefined
  /** Of the lanes, in place of the database. */
  queueUrl: string | undefined
  /** Folder of the embedded servers. */
  home: string
  /** PostgreSQL schemas of the domains. */
  schemas: readonly string[]
  poolSize: number
  reportPoolSize: number
  reportTimeoutMs: number
  cacheCommandTimeoutMs: number
  /** The longest that any entry lives. */
  maxLifetimeMs: number
  /** Of a Redis that is started from the PATH. */
  redisMaxMemoryMb: number
  memoryStoreBytes: number
  log: Log
}

export type Resources = Service & {
  db: Db
  /** With the statement timeout of reports. */
  reportDb: Db
  store: Store
  /** The same place as `store`, with the patience of a batch. */
  bulkStore: Store
  /** Where the jobs of the lanes lie. */
  queue: LaneBackend
  /** Sentences that say where the data lies. */
  places: { database: string; cache: string }
}

const STATEMENT_TIMEOUT_MS = 30_000
const BULK_TIMEOUT_MS = 10_000

export async function openResources(options: ResourceOptions): Promise<Resources> {
  const database = await openDatabase(options)
  try {
    const cache = await openCache(options)
    const stop = async (): Promise<void> => {
      await cache.stop()
      await database.stop()
    }
    const { db, reportDb } = database
    const { store, bulkStore } = cache
    return {
      db,
      reportDb,
      store,
      bulkStore,
      queue: options.queueUrl
        ? { kind: 'redis', url: options.queueUrl }
        : { kind: 'postgres', url: database.url },
      places: { database: database.place, cache: cache.place },
      stop,
    }
  } catch (error) {
    await database.stop()
    throw error
  }
}

type Database = Service & { db: Db; reportDb: Db; url: string; place: string }

async function openDatabase(options: ResourceOptions): Promise<Database> {
  const { databaseUrl, home, log, schemas } = options
  const server = databaseUrl
    ? undefined
    : await startEmbeddedPostgres({ folder: join(home, 'postgres'), log })
  const url = server?.url ?? databaseUrl ?? ''
  const pool = (applicationName: string, max: number, statementTimeoutMs: number): Db =>
    connect({
      connectionString: url,
      applicationName,
      max,
      statementTimeoutMs,
      schemas,
      log,
    })
  const db = pool('prewarm', options.poolSize, STATEMENT_TIMEOUT_MS)
  const reportDb = pool('prewarm reports', options.reportPoolSize, options.reportTimeoutMs)
  return {
    db,
    reportDb,
    url,
    place: server
      ? `an embedded PostgreSQL in ${join(home, 'postgres')}`
      : 'the PostgreSQL of DATABASE_URL',
    stop: async () => {
      await Promise.all([db.end(), reportDb.end()])
      await server?.stop()
    },
  }
}

type Cache = Service & { store: Store; bulkStore: Store; place: string }

async function openCache(options: ResourceOptions): Promise<Cache> {
  const { redisUrl, home, log, maxLifetimeMs, redisMaxMemoryMb: maxMemoryMb } = options
  const server = redisUrl
    ? undefined
    : await startLocalRedis({ folder: join(home, 'redis'), log, maxMemoryMb })
  const url = redisUrl ?? server?.url
  if (!url) return inProcess(options)
  const open = (commandTimeoutMs: number): Promise<Store> =>
    createRedisStore({ url, commandTimeoutMs, maxLifetimeMs, log })
  const [store, bulkStore] = await Promise.all([
    open(options.cacheCommandTimeoutMs),
    open(BULK_TIMEOUT_MS),
  ])
  return {
    store,
    bulkStore,
    place: server
      ? `a Redis started from the PATH, in ${join(home, 'redis')}`
      : 'the Redis of REDIS_CACHE_URL',
    stop: async () => {
      await Promise.all([store.stop(), bulkStore.stop()])
      await server?.stop()
    },
  }
}

function inProcess({ memoryStoreBytes }: ResourceOptions): Cache {
  const store = createMemoryStore({ maxBytes: memoryStoreBytes, clock: systemClock })
  const place =
    'this process: no redis-server or valkey-server is on the PATH, so the cache goes when it ends'
  return { store, bulkStore: store, place, stop: () => store.stop() }
}
