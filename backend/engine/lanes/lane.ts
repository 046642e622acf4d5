// What the rest of the program knows of queues: three lanes by priority, behind which BullMQ works.
import type { Service } from '../service.ts'

export const LANES = ['high', 'normal', 'low'] as const

export type Lane = (typeof LANES)[number]

/** Told about the one job that it is asked to do. */
export type JobContext = {
  id: string
  /** 1 for the first attempt. */
  attempt: number
  /** Aborted when the job is cancelled or lost to another process, or this process stops. */
  signal: AbortSignal
  /** How far it is, from 0 to 100, for those who watch. */
  progress(percent: number): Promise<void>
}

/**
 * Does jobs of one kind. What it returns, JSON, is the job's result; what it throws fails the attempt. The same job may be done
 * twice, when a process is cut off, so doing it twice must do no harm.
 */
export type JobHandler = (data: unknown, context: JobContext) => Promise<unknown>

export type JobId = `${Lane}-${string}`

export type AddOptions = {
  lane: Lane
  /** Of the same `once`, whatever the lane, at most one job waits or runs; a further one is not added. */
  once?: string
  /** 1 unless given. Between attempts the time doubles. */
  attempts?: number
  delayMs?: number
}

export type RunAllOptions = {
  lane: Lane
  /** 1 unless given. */
  attempts?: number
  /** Once it is aborted, waiting jobs are removed, running ones cancelled, and the call rejects with its reason. */
  signal?: AbortSignal | undefined
  /**
   * When no job has ended for so long, be it ours or another's, it is as if `signal` had been aborted: `unavailable`. Much sooner
   * when none runs. For ever unless given.
   */
  patienceMs?: number
  /** Called as each job ends, with its place in `datas`. */
  onResult?: ((result: JobResult, index: number) => void) | undefined
}

export type JobResult = PromiseSettledResult<unknown>

export type LaneCounts = {
  waiting: number
  active: number
  delayed: number
  /** Dead letters. */
  failed: number
  /** Of those that are still remembered. */
  completed: number
}

/** A job as people see it. Times are ISO texts. */
export type JobView = {
  id: string
  kind: string
  lane: Lane
  state: 'waiting' | 'active' | 'delayed' | 'failed' | 'completed'
  data: unknown
  /** Attempts that have ended. */
  attempts: number
  progress: number
  error: string | null
  added_at: string
  ended_at: string | null
}

export type Lanes = Service & {
  /** Says how jobs of a kind are done. To be called before `start`. */
  handle(kind: string, handler: JobHandler): void
  /** From now on this process works. Without it jobs can be added, and others do them. */
  start(): Promise<void>
  readonly isStarted: boolean
  readonly isStopped: boolean
  /** The id of the job, or that a job of the same `once` waits or runs already. */
  add(kind: string, data: unknown, options: AddOptions): Promise<JobId | 'AlreadyThere'>
  /** Adds a job for each of `datas`, and resolves when all have ended, whichever processes did them, with results in the same order. */
  runAll(kind: string, datas: readonly unknown[], options: RunAllOptions): Promise<JobResult[]>
  counts(): Promise<Record<Lane, LaneCounts>>
  /** `not_found` unless there is such a job. */
  find(id: string): Promise<JobView>
  /** Jobs that are being done now. */
  active(): Promise<JobView[]>
  /** Jobs whose last attempt failed, the latest first. */
  deadLetters(limit?: number): Promise<JobView[]>
  /** Puts a dead letter back into its lane as a new job, whose id it returns. `conflict` if it is none. */
  retry(id: string): Promise<JobId>
  /** Removes a job that waits, and stops one that runs. `conflict` if it has ended. */
  cancel(id: string): Promise<void>
  /** Forgets a dead letter. `conflict` if it is none. */
  discard(id: string): Promise<void>
}
