// The queue itself, and the server behind it.
import { Queue } from 'bullmq'
import type { Log } from '../log.ts'
import { within } from '../within.ts'
import type { LaneQueue } from './job.ts'
import { openPostgresLanes } from './postgres.ts'
import { openRedisLanes } from './redis.ts'
import { QUEUE_NAME, type LaneBackend, type LaneServer } from './server.ts'

const CLOSE_MS = 1000

export type Opened = {
  server: LaneServer
  queue: LaneQueue
  close: () => Promise<void>
}

export async function openQueue({ kind, url }: LaneBackend, log: Log): Promise<Opened> {
  const server = await (kind === 'redis' ? openRedisLanes : openPostgresLanes)(url, log)
  const queue: LaneQueue = new Queue(QUEUE_NAME, { connection: url }, server.factory)
  // What fails is told by whoever asked.
  queue.on('error', (error) => log.debug('The queue had a problem.', { error }))
  const close = async (): Promise<void> => {
    await within(CLOSE_MS, queue.close())
    await server.close()
  }
  return { server, queue, close }
}
