// Connections to the Redis of the lanes. BullMQ speaks over them, and duplicates them for what waits.
import { Redis, type RedisOptions } from 'ioredis'
import type { Log } from '../log.ts'

export type QueueRedis = {
  /** One more connection. `null` retries: commands wait until Redis is back, however long. */
  open(retries: number | null): Redis
  /** Ends all of them, duplicates too, at once and whatever they wait for. */
  end(): void
}

const CONNECT_TIMEOUT_MS = 3000
const LONGEST_PAUSE_MS = 1000

export function connectQueueRedis(url: string, log: Log): QueueRedis {
  const connections = new Set<Redis>()
  const remember = (redis: Redis): Redis => {
    connections.add(redis)
    // Without a listener a lost connection would end the process; what comes of it is told by who asked.
    redis.on('error', (error: Error) => log.debug('A connection of the lanes failed.', { error }))
    const duplicate = redis.duplicate.bind(redis)
    redis.duplicate = (override?: Partial<RedisOptions>) => remember(duplicate(override))
    return redis
  }
  return {
    open: (retries) =>
      remember(
        new Redis(url, {
          connectTimeout: CONNECT_TIMEOUT_MS,
          maxRetriesPerRequest: retries,
          retryStrategy: (attempt) => Math.min(attempt * 100, LONGEST_PAUSE_MS),
        }),
      ),
    end: () => {
      for (const redis of connections) redis.disconnect()
    },
  }
}
