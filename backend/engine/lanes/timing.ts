import { SECOND } from '../clock.ts'

export type LaneTiming = {
  /** Renewed while the job is done. So long a job of a process that died is held at most, and then as long as one look takes. */
  lockMs: number
  /** Between two looks for jobs of processes that died. */
  stalledMs: number
  /** Before the second attempt; doubles with each further one. */
  backoffMs: number
  /** Between two looks of one who waits for results. */
  pollMs: number
  /** When no job runs and none has ended for so long, nobody works. Longer than an idle worker sleeps, should he miss a job. */
  idleMs: number
  /** Between two looks whether a running job was cancelled elsewhere. */
  cancelPollMs: number
  /** An interrupted job that obeys its signal gets this long to let go. */
  letGoMs: number
  /** A job of a lower lane that waits longer than this is put before all others; one of each lane in this time. */
  ageMs: number
}

export const TIMING: LaneTiming = {
  lockMs: 5 * SECOND,
  stalledMs: 2 * SECOND,
  backoffMs: SECOND,
  pollMs: 200,
  idleMs: 20 * SECOND,
  cancelPollMs: SECOND,
  letGoMs: SECOND,
  ageMs: 30 * SECOND,
}
