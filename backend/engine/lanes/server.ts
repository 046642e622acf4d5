import type { BackendFactory, IQueueBackend } from 'bullmq'

export type LaneBackend = { kind: 'postgres' | 'redis'; url: string }

/** Where BullMQ keeps the queue. */
export type LaneServer = {
  factory: BackendFactory<IQueueBackend, string>
  /** Adding a job wakes a worker; this is how often an idle one looks by itself. */
  lookSeconds: number
  /** After everything that the factory made is closed. */
  close(): Promise<void>
}

export const QUEUE_NAME = 'prewarm'

/** How long we wait for an answer before we say that there is none. */
export const ANSWER_MS = 5000
