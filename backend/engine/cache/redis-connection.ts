// One connection to Redis that answers in time or says that it cannot.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { circuitBreaker, ConsecutiveBreaker, handleAll } from 'cockatiel'
import { Redis, type ChainableCommander } from 'ioredis'
import { messageOf, PrewarmError } from '../errors.ts'
import type { Log } from '../log.ts'
import { scripts } from './redis-scripts.ts'

export type RedisConnectionOptions = {
  url: string
  /** How long one command may take. */
  commandTimeoutMs: number
  log: Log
}

export type RedisConnection = {
  /** Sends one pipeline and gives its replies in order. Whatever goes wrong is a PrewarmError `unavailable`. */
  run: (fill: (pipeline: ChainableCommander) => unknown) => Promise<unknown[]>
  stop: () => void
}

const FIRST_CONTACT_MS = 2000
// After three failures in a row Redis is left alone for a second, so that reads do not queue up behind its timeout.
const FAILURES_TO_OPEN = 3
const OPEN_MS = 1000

/** Resolves when Redis answers, or after a moment when it does not: the connection then works as soon as it does. */
export async function connectRedis(options: RedisConnectionOptions): Promise<RedisConnection> {
  const redis = open(options)
  await Promise.race([once(redis, 'ready'), sleep(FIRST_CONTACT_MS)]).catch(() => undefined)
  const breaker = circuitBreaker(handleAll, {
    halfOpenAfter: OPEN_MS,
    breaker: new ConsecutiveBreaker(FAILURES_TO_OPEN),
  })
  const send: RedisConnection['run'] = async (fill) => {
    const pipeline = redis.pipeline()
    fill(pipeline)
    return valuesOf(await pipeline.exec())
  }
  return {
    run: (fill) => breaker.execute(() => send(fill)).catch(unavailable),
    stop: () => redis.disconnect(),
  }
}

function open({ url, commandTimeoutMs, log }: RedisConnectionOptions): Redis {
  const redis = new Redis(url, {
    scripts,
    commandTimeout: commandTimeoutMs,
    connectTimeout: 3000,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
  })
  let isDown = false
  redis.on('error', (error: Error) => {
    if (!isDown) log.warn('Redis cannot be reached; reports come from the database.', { error })
    isDown = true
  })
  redis.on('ready', () => {
    if (isDown) log.info('Redis is back.')
    isDown = false
  })
  return redis
}

function valuesOf(replies: [Error | null, unknown][] | null): unknown[] {
  return (replies ?? []).map(([error, value]) => {
    if (error) throw error
    return value
  })
}

function unavailable(error: unknown): never {
  const message = `The Redis cache did not answer: ${messageOf(error)}`
  throw new PrewarmError('unavailable', message, { cause: error })
}
