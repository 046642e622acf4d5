// The way to the queue: opened by the first who needs it, and opened again if that failed.
import { Queue } from 'bullmq'
import { messageOf, PrewarmError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Service } from '../service.ts'
import type { LaneQueue } from './lane-job.ts'
import { openPostgresLanes } from './lane-postgres.ts'
import { openRedisLanes } from './lane-redis.ts'
import { ANSWER_MS, QUEUE_NAME, type LaneServer } from './lane-server.ts'
import { within } from './within.ts'

const CLOSE_MS = 1000

export type LaneBackend = { kind: 'postgres' | 'redis'; url: string }

export type Opened = { server: LaneServer; queue: LaneQueue }

export type LaneConnection = {
  /** Whoever asks is told in time when there is no answer: `unavailable`. */
  ask: <T>(work: (opened: Opened) => Promise<T>) => Promise<T>
  /** Aborted when it is stopped. */
  stopping: AbortSignal
  /** Stops the worker first, as it needs the connection to give its jobs back. */
  stop(worker: Service | undefined): Promise<void>
}

export function connectOnce({ backend, log }: { backend: LaneBackend; log: Log }): LaneConnection {
  const stopping = new AbortController()
  let opening: Promise<Opened> | undefined
  let stopped: Promise<void> | undefined

  const open = (): Promise<Opened> => {
    stopping.signal.throwIfAborted()
    opening ??= openQueue(backend, log).catch((error: unknown) => {
      opening = undefined
      throw error
    })
    return opening
  }
  const stop = async (worker: Service | undefined): Promise<void> => {
    stopping.abort(unavailable('it is stopped'))
    await worker?.stop()
    await opening?.then(closeQueue, () => undefined)
  }
  return {
    ask: (work) => inTime(async () => work(await open())),
    stopping: stopping.signal,
    stop: (worker) => (stopped ??= stop(worker)),
  }
}

async function openQueue({ kind, url }: LaneBackend, log: Log): Promise<Opened> {
  const server = await (kind === 'redis' ? openRedisLanes : openPostgresLanes)(url, log)
  const queue: LaneQueue = new Queue(QUEUE_NAME, { connection: url }, server.factory)
  // What fails is told by whoever asked.
  queue.on('error', (error) => log.debug('The queue had a problem.', { error }))
  return { server, queue }
}

async function closeQueue({ queue, server }: Opened): Promise<void> {
  await within(CLOSE_MS, queue.close())
  await server.close()
}

async function inTime<T>(work: () => Promise<T>): Promise<T> {
  const answer = work()
  if (!(await within(2 * ANSWER_MS, answer))) throw unavailable('no answer in time')
  return answer.catch((error: unknown) => {
    throw error instanceof PrewarmError ? error : unavailable(messageOf(error), error)
  })
}

function unavailable(why: string, cause?: unknown): PrewarmError {
  return new PrewarmError('unavailable', `The queue cannot be used: ${why}.`, { cause })
}
