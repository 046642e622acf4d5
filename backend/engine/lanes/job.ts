// How a job of ours looks to BullMQ.
import { randomUUID } from 'node:crypto'
import type { IQueueBackend, Job, JobsOptions, Queue } from 'bullmq'
import { DAY, SECOND } from '../clock.ts'
import { LANES, type AddOptions, type JobId, type JobView, type Lane } from './lane.ts'

export type Payload = { input: unknown; once?: string | undefined; isCancelled?: boolean }
export type Output = { output: unknown }
export type LaneJob = Job<Payload, Output>
export type LaneQueue = Queue<
  Payload,
  Output,
  string,
  Payload,
  Output,
  string,
  IQueueBackend,
  string
>

// One queue with priorities, not one queue per lane: so `once` is decided by one statement whatever the lane, any free worker
// serves any lane, and idle processes ask a third as often. BullMQ does lower numbers first.
const PRIORITY: Record<Lane, number> = { high: 2, normal: 3, low: 4 }
/** Before everything. For the oldest jobs of the lower lanes, so that they are never starved. */
export const FIRST = 1

const HISTORY = {
  removeOnComplete: { count: 1000, age: DAY / SECOND },
  removeOnFail: { count: 1000, age: (7 * DAY) / SECOND },
}

/** The lane is part of the id, so jobs are counted by lane without being read. */
export function newJobId(lane: Lane): JobId {
  return `${lane}-${randomUUID()}`
}

export function laneOf(id: string): Lane {
  return LANES.find((lane) => id.startsWith(`${lane}-`)) ?? 'normal'
}

export function jobOptions(
  jobId: string,
  { lane, once, attempts = 1, delayMs = 0 }: AddOptions,
  backoffMs: number,
): JobsOptions {
  return {
    ...HISTORY,
    jobId,
    attempts,
    delay: delayMs,
    priority: PRIORITY[lane],
    backoff: { type: 'exponential', delay: backoffMs },
    ...(once === undefined ? {} : { deduplication: { id: once } }),
  }
}

export async function viewOf(job: LaneJob): Promise<JobView> {
  const id = job.id ?? ''
  return {
    id,
    kind: job.name,
    lane: laneOf(id),
    state: stateOf(await job.getState()),
    data: job.data.input,
    attempts: job.attemptsMade,
    progress: typeof job.progress === 'number' ? job.progress : 0,
    error: job.failedReason || null,
    added_at: new Date(job.timestamp).toISOString(),
    ended_at: job.finishedOn ? new Date(job.finishedOn).toISOString() : null,
  }
}

function stateOf(state: string): JobView['state'] {
  switch (state) {
    case 'active':
    case 'delayed':
    case 'failed':
    case 'completed':
      return state
    default:
      return 'waiting'
  }
}
