// A PostgreSQL and a Redis for one benchmark, in a folder that goes with them.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startLocalRedis } from '../engine/cache/index.ts'
import { startEmbeddedPostgres } from '../engine/db/index.ts'
import { PrewarmError } from '../engine/errors.ts'
import { createLog } from '../engine/log.ts'

/** The settings by which a program finds the two servers. */
export type ServerSettings = {
  DATABASE_URL: string
  REDIS_CACHE_URL: string
  PREWARM_HOME: string
  PREWARM_VIEWS?: 'on' | 'off'
  CACHE_LOCAL_TRUST_MS?: string
}

// 20,000 dashboards of 36 KB, and room to spare.
const REDIS_MB = 2048

export async function withServers<T>(work: (settings: ServerSettings) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'prewarm-bench-'))
  chmodSync(folder, 0o755)
  const log = createLog({ level: 'warn', format: 'text' })
  const postgres = await startEmbeddedPostgres({ folder: join(folder, 'postgres'), log })
  const redis = await startLocalRedis({ folder: join(folder, 'redis'), log, maxMemoryMb: REDIS_MB })
  try {
    if (!redis) {
      throw new PrewarmError(
        'bad_configuration',
        'Benchmarks need redis-server or valkey-server on the PATH.',
      )
    }
    return await work({
      DATABASE_URL: postgres.url,
      REDIS_CACHE_URL: redis.url,
      PREWARM_HOME: folder,
    })
  } finally {
    await redis?.stop()
    await postgres.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}
