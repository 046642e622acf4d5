// What the rest of the program knows of queues: three lanes by priority, behind which BullMQ works.

export type Lane = 'high' | 'normal' | 'low'

/** Told about the one job that it is asked to do. */
export type JobContext = {
  id: string
  /** 1 for the first attempt. */
  attempt: number
  /** Aborted when the job is cancelled, or the process stops. */
  signal: AbortSignal
  /** How far it is, from 0 to 100, for those who watch. */
  progress(percent: number): Promise<void>
}

/** Does jobs of one kind. What it returns, JSON, is the job's result; what it throws fails the attempt. */
export type JobHandler = (data: unknown, context: JobContext) => Promise<unknown>

export type AddOptions = {
  lane: Lane
  /** Of the same `once`, at most one job waits or runs; a further one is not added. */
  once?: string
  /** 1 unless given. Between attempts the time doubles. */
  attempts?: number
  delayMs?: number
}
