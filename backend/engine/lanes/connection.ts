// The way to the queue: opened by the first who needs it, and opened again if that failed. Only then is BullMQ loaded, which most
// commands never need.
import { messageOf, PrewarmError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Service } from '../service.ts'
import type { Opened } from './queue.ts'
import { ANSWER_MS, type LaneBackend } from './server.ts'
import { within } from '../within.ts'

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
    opening ??= load(backend, log).catch((error: unknown) => {
      opening = undefined
      throw error
    })
    return opening
  }
  const stop = async (worker: Service | undefined): Promise<void> => {
    stopping.abort(unavailable('it is stopped'))
    await worker?.stop()
    await opening?.then(
      ({ close }) => close(),
      () => undefined,
    )
  }
  return {
    ask: (work) => inTime(async () => work(await open())),
    stopping: stopping.signal,
    stop: (worker) => (stopped ??= stop(worker)),
  }
}

async function load(backend: LaneBackend, log: Log): Promise<Opened> {
  const { openQueue } = await import('./queue.ts')
  return openQueue(backend, log)
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
