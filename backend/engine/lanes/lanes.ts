// The door of the lanes. Nothing is opened before it is needed.
import type { Log } from '../log.ts'
import { connectOnce } from './connection.ts'
import { cancelJob, countJobs, discardJob, findJob, listJobs, retryJob } from './admin.ts'
import { jobOptions, newJobId, type LaneQueue } from './job.ts'
import { runAll } from './results.ts'
import type { LaneBackend } from './server.ts'
import { TIMING, type LaneTiming } from './timing.ts'
import type { LaneWorker } from './worker.ts'
import type { AddOptions, JobHandler, JobId, Lanes } from './lane.ts'

export type LanesOptions = {
  /** Where the queue lies. */
  backend: LaneBackend
  /** Jobs that this process does at the same time. */
  concurrency: number
  log: Log
  timing?: Partial<LaneTiming>
}

const DEAD_LETTERS = 100

/** `start` rejects with `bad_configuration` for a Redis that may evict, and with `unavailable` when PostgreSQL cannot be reached. */
export function createLanes(options: LanesOptions): Lanes {
  const { concurrency, log } = options
  const timing = { ...TIMING, ...options.timing }
  const handlers = new Map<string, JobHandler>()
  const connection = connectOnce(options)
  let worker: LaneWorker | undefined

  const { ask } = connection
  const interrupt = (id: string): boolean => worker?.interrupt(id, 'cancelled') ?? false
  const cancel = (id: string): Promise<void> => ask(({ queue }) => cancelJob(queue, id, interrupt))
  return {
    handle: (kind, handler) => void handlers.set(kind, handler),
    start: async () => {
      const opened = await ask(async (open) => open)
      const { startLaneWorker } = await import('./worker.ts')
      connection.stopping.throwIfAborted()
      worker ??= startLaneWorker({ ...opened, handlers, concurrency, timing, log })
    },
    get isStarted() {
      return worker !== undefined
    },
    get isStopped() {
      return connection.stopping.aborted
    },
    add: (kind, data, how) => ask(({ queue }) => addJob(queue, { kind, data, how }, timing)),
    runAll: async (kind, datas, how) => {
      const { queue } = await ask(async (open) => open)
      const parts = { queue, cancel, timing, log, stopping: connection.stopping }
      return runAll(parts, { ...how, kind, datas })
    },
    counts: () => ask(({ queue }) => countJobs(queue)),
    find: (id) => ask(({ queue }) => findJob(queue, id)),
    active: () => ask(({ queue }) => listJobs(queue, 'active')),
    deadLetters: (limit = DEAD_LETTERS) => ask(({ queue }) => listJobs(queue, 'failed', limit)),
    retry: (id) => ask(({ queue }) => retryJob(queue, id, timing)),
    cancel,
    discard: (id) => ask(({ queue }) => discardJob(queue, id)),
    stop: () => connection.stop(worker),
  }
}

async function addJob(
  queue: LaneQueue,
  { kind, data, how }: { kind: string; data: unknown; how: AddOptions },
  { backoffMs }: LaneTiming,
): Promise<JobId | 'AlreadyThere'> {
  const id = newJobId(how.lane)
  const payload = { input: data, once: how.once }
  const job = await queue.add(kind, payload, jobOptions(id, how, backoffMs))
  return job.id === id ? id : 'AlreadyThere'
}
