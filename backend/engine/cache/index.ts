export {
  isOutdated,
  stateOf,
  type Entry,
  type EntryHeader,
  type EntryId,
  type EntryState,
} from './entry.ts'
export type { BustTarget, Claim, Found, Store, Write, WriteResult } from './store.ts'
export { createRedisStore } from './redis-store.ts'
export { createMemoryStore } from './memory-store.ts'
export { createLocalEntries, type LocalEntries } from './local-entries.ts'
export { whileLeased } from './lease.ts'
export { createSingleFlight, type SingleFlight } from './single-flight.ts'
export { connectQueueRedis, type QueueRedis } from './queue-redis.ts'
export { startLocalRedis } from './local-redis.ts'
