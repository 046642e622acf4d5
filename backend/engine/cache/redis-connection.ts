// One connection to Redis that answers in time or says that it cannot.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { circuitBreaker, ConsecutiveBreaker, handleAll, type CircuitBreakerPolicy } from 'cockatiel'
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
  run: Run
  /** As `run`, also while Redis is left alone: for what must be told as soon as it is back. */
  insist: Run
  /**
   * Sends a pipeline behind one whose reply was given up: Redis may still run that one when it goes on, and this one then
   * takes it back. Neither waits nor fails.
   */
  takeBack: (fill: Parameters<Run>[0]) => void
  stop: () => void
}

type Run = (fill: (pipeline: ChainableCommander) => unknown) => Promise<unknown[]>

const FIRST_CONTACT_MS = 2000
// After three failures in a row Redis is left alone for a second, so that reads do not queue up behind its timeout.
const FAILURES_TO_OPEN = 3
const OPEN_MS = 1000
// Others may read entries again whose versions we have to move.
const LONGEST_RECONNECT_MS = 250

/** Resolves when Redis answers, or after a moment when it does not: the connection then works as soon as it does. */
export async function connectRedis(options: RedisConnectionOptions): Promise<RedisConnection> {
  const redis = open(options)
  const patience = sleep(FIRST_CONTACT_MS, undefined, { ref: false })
  await Promise.race([once(redis, 'ready'), patience]).catch(() => undefined)
  const breaker = circuitBreaker(handleAll, {
    halfOpenAfter: OPEN_MS,
    breaker: new ConsecutiveBreaker(FAILURES_TO_OPEN),
  })
  tell(breaker, options.log)
  const send: Run = async (fill) => {
    const pipeline = redis.pipeline()
    fill(pipeline)
    return valuesOf(await pipeline.exec())
  }
  return {
    run: (fill) => breaker.execute(() => send(fill)).catch(unavailable),
    insist: (fill) => send(fill).catch(unavailable),
    takeBack: (fill) => void send(fill).catch(() => undefined),
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
    retryStrategy: (times) => Math.min(times * 50, LONGEST_RECONNECT_MS),
  })
  // Without a listener a lost connection would end the process; what comes of it is told by the breaker.
  redis.on('error', (error: Error) => log.debug('The connection to Redis failed.', { error }))
  return redis
}

function tell(breaker: CircuitBreakerPolicy, log: Log): void {
  breaker.onBreak((reason) => {
    const error = 'error' in reason ? reason.error : undefined
    log.warn('Redis does not answer; reports come from the database.', { error })
  })
  breaker.onReset(() => log.info('Redis is back.'))
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
