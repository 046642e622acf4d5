import { setTimeout as sleep } from 'node:timers/promises'
import type { Store } from '../cache/index.ts'
import type { Queryable } from '../db/index.ts'
import { messageOf } from '../errors.ts'

export type ServiceHealth = { status: 'ok' | 'down'; latency_ms?: number; error?: string }

export type Health = {
  /** `degraded`: every read still answers, but not from the cache; `down`: only what is in the cache can be read. */
  status: 'ok' | 'degraded' | 'down'
  services: { postgres: ServiceHealth; 'redis-cache': ServiceHealth & { kind: Store['kind'] } }
}

export async function checkHealth(db: Queryable, store: Store): Promise<Health> {
  const [postgres, cache] = await Promise.all([
    probe(async () => void (await db.query('select 1'))),
    probe(async () => void (await store.ping())),
  ])
  return {
    status: overall(postgres, cache),
    services: { postgres, 'redis-cache': { ...cache, kind: store.kind } },
  }
}

function overall(postgres: ServiceHealth, cache: ServiceHealth): Health['status'] {
  if (postgres.status === 'down') return 'down'
  return cache.status === 'down' ? 'degraded' : 'ok'
}

// A server that hangs says nothing for as long as a statement may take; whoever asks for health wants to know it now.
const PATIENCE_MS = 1500

async function probe(ask: () => Promise<void>): Promise<ServiceHealth> {
  const start = performance.now()
  try {
    await Promise.race([ask(), patience()])
    return { status: 'ok', latency_ms: Math.round((performance.now() - start) * 10) / 10 }
  } catch (error) {
    return { status: 'down', error: messageOf(error) }
  }
}

async function patience(): Promise<never> {
  await sleep(PATIENCE_MS, undefined, { ref: false })
  throw new Error(`No answer within ${PATIENCE_MS} ms.`)
}
