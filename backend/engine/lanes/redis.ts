// The queue in Redis, which must be one that never forgets.
import { createRedisBackend } from 'bullmq'
import { connectQueueRedis, type QueueRedis } from '../cache/index.ts'
import { messageOf, PrewarmError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { LaneServer } from './server.ts'

/** One hash slot, should it be a cluster. */
const PREFIX = '{prewarm}'

// Enough for a moment's trouble. Workers never give up; who adds a job is told in time that it could not be added.
const PRODUCER_RETRIES = 6
const POLICY_RETRIES = 5
const REQUIRED = 'noeviction'

/**
 * Rejects for a Redis that evicts: it would lose queued work without a word, which nobody would notice until it is missing.
 * One that does not answer yet is no reason: it is used as soon as it does.
 */
export async function openRedisLanes(url: string, log: Log): Promise<LaneServer> {
  const redis = connectQueueRedis(url, log)
  const policy = await policyOf(redis).catch((error: unknown) => {
    log.warn('REDIS_QUEUE_URL: the Redis of the lanes does not answer yet.', {
      why: messageOf(error),
    })
    return REQUIRED
  })
  if (policy !== REQUIRED) {
    redis.end()
    throw forgetful(policy)
  }
  return {
    factory: (name, options, kind) => {
      const connection = redis.open(kind?.withBlockingConnection ? null : PRODUCER_RETRIES)
      const own = { ...options, prefix: PREFIX, connection }
      return createRedisBackend(name, own, kind)
    },
    // One worker hears of a job, and it may be one that is cut off.
    lookSeconds: 3,
    close: async () => redis.end(),
  }
}

async function policyOf(redis: QueueRedis): Promise<string> {
  const connection = redis.open(POLICY_RETRIES)
  try {
    const info = await connection.info('memory')
    // One that does not tell is not ours to refuse.
    return /maxmemory_policy:(\S+)/.exec(info)?.[1] ?? REQUIRED
  } finally {
    connection.disconnect()
  }
}

function forgetful(policy: string): PrewarmError {
  return new PrewarmError(
    'bad_configuration',
    `REDIS_QUEUE_URL: this Redis has the maxmemory-policy ${policy}, so it would drop queued jobs when its memory is full. Set it to noeviction, or use another Redis than that of the cache.`,
    { field: 'REDIS_QUEUE_URL' },
  )
}
