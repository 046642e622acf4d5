import { setMaxListeners } from 'node:events'
import pLimit from 'p-limit'
import type { Service } from '../service.ts'
import { within } from '../within.ts'

/** Something to do that ends early when `stop` is aborted. */
export type Task<T> = (stop: AbortSignal) => Promise<T>

export type Workers = Service & {
  /** Does the task when one of the `concurrency` workers is free. */
  whenFree<T>(task: Task<T>): Promise<T>
  /** Does the task now, beside the others, because a person waits for it. */
  atOnce<T>(task: Task<T>): Promise<T>
  readonly free: number
  readonly isStopping: boolean
  /** Resolves when nothing is being done and nothing waits. */
  idle(): Promise<void>
}

/** On stop, what is being done has `drainMs` to finish; then its signal is aborted. */
export function createWorkers(options: { concurrency: number; drainMs: number }): Workers {
  const limit = pLimit(options.concurrency)
  const tasks = new Set<Promise<unknown>>()
  const stop = new AbortController()
  // Every task may listen to it, and more than ten of them are no leak.
  setMaxListeners(0, stop.signal)
  let isStopping = false

  const track = async <T>(done: Promise<T>): Promise<T> => {
    tasks.add(done)
    return done.finally(() => tasks.delete(done))
  }
  const idle = async () => {
    while (tasks.size > 0) await Promise.allSettled(tasks)
  }
  return {
    whenFree: (task) => track(limit(() => task(stop.signal))),
    atOnce: (task) => track(task(stop.signal)),
    get free() {
      return Math.max(0, options.concurrency - limit.activeCount - limit.pendingCount)
    },
    get isStopping() {
      return isStopping
    },
    idle,
    stop: async () => {
      isStopping = true
      const drained = await within(options.drainMs, idle())
      if (!drained) stop.abort()
      await idle()
    },
  }
}
