// Many jobs at once, and what became of each. Who waits looks at the queue from time to time instead of listening to events:
// events can be missed while a connection is cut, the state of a job cannot.
import { setTimeout as sleep } from 'node:timers/promises'
import pLimit from 'p-limit'
import { SECOND } from '../clock.ts'
import { PrewarmError } from '../errors.ts'
import type { Log } from '../log.ts'
import { jobOptions, newJobId, type LaneJob, type LaneQueue } from './job.ts'
import type { JobResult, RunAllOptions } from './lane.ts'
import type { LaneTiming } from './timing.ts'

export type RunAllParts = {
  queue: LaneQueue
  cancel: (id: string) => Promise<void>
  timing: LaneTiming
  log: Log
  /** Aborted when the lanes are stopped. */
  stopping: AbortSignal
}

type Outcome = JobResult | 'not yet'
type Batch = RunAllOptions & { kind: string; datas: readonly unknown[] }

const ADD_AT_ONCE = 500
const AT_ONCE = 10
// In this order a job that moves on while we look is seen in one of them, or looked at by itself.
const LIVE = ['wait', 'prioritized', 'delayed', 'active'] as const

export async function runAll(parts: RunAllParts, batch: Batch): Promise<JobResult[]> {
  const { signal, lane, datas, patienceMs } = batch
  const patience = startPatience(patienceMs)
  const ended = AbortSignal.any([parts.stopping, patience.over, ...(signal ? [signal] : [])])
  const heard = { ...batch, onResult: patience.renewedBy(batch.onResult) }
  const ids = datas.map(() => newJobId(lane))
  const results = new Map<string, JobResult>()
  try {
    await persist(parts, ended, () => addAll(parts, batch, ids))
    while (results.size < ids.length) {
      await persist(parts, ended, () => collect(parts, heard, { ids, results }))
      if (results.size < ids.length) await sleep(parts.timing.pollMs, undefined, { signal: ended })
    }
  } catch (error) {
    if (signal?.aborted) await cancelAll(parts, ids, results)
    ended.throwIfAborted()
    throw error
  } finally {
    patience.end()
  }
  return ids.map((id) => results.get(id) ?? gone())
}

type Patience = {
  over: AbortSignal
  renewedBy(onResult: Batch['onResult']): NonNullable<Batch['onResult']>
  end(): void
}

/** Whoever waits learns neither that the queue is away nor that nobody works on it, only that nothing happens. */
function startPatience(ms: number | undefined): Patience {
  const over = new AbortController()
  const giveUp = (): void => over.abort(nothingHappens(ms ?? 0))
  const timer = ms === undefined ? undefined : setTimeout(giveUp, ms)
  return {
    over: over.signal,
    renewedBy: (onResult) => (result, index) => {
      timer?.refresh()
      onResult?.(result, index)
    },
    end: () => clearTimeout(timer),
  }
}

function nothingHappens(ms: number): PrewarmError {
  const message = `The lanes have done nothing of it for ${ms / SECOND} seconds.`
  return new PrewarmError('unavailable', message)
}

/** Tries again until it succeeds, as the queue may be away for a while. */
async function persist(
  { timing, log }: RunAllParts,
  ended: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    ended.throwIfAborted()
    try {
      await work()
      return
    } catch (error) {
      if (attempt === 1) log.warn('The queue does not answer; trying again.', { error })
      await sleep(timing.pollMs, undefined, { signal: ended })
    }
  }
}

/** As the ids are known beforehand, what was added already is not added again. */
async function addAll(
  { queue, timing }: RunAllParts,
  { kind, datas, ...options }: Batch,
  ids: readonly string[],
): Promise<void> {
  const { lane, attempts = 1 } = options
  const jobs = ids.map((id, i) => ({
    name: kind,
    data: { input: datas[i] },
    opts: jobOptions(id, { lane, attempts }, timing.backoffMs),
  }))
  for (let i = 0; i < jobs.length; i += ADD_AT_ONCE) {
    await queue.addBulk(jobs.slice(i, i + ADD_AT_ONCE))
  }
}

async function collect(
  { queue }: RunAllParts,
  { onResult }: Batch,
  { ids, results }: { ids: readonly string[]; results: Map<string, JobResult> },
): Promise<void> {
  const live = new Set(await queue.getRanges([...LIVE], 0, -1))
  const limit = pLimit(AT_ONCE)
  const over = ids.flatMap((id, index) => (results.has(id) || live.has(id) ? [] : [{ id, index }]))
  await limit.map(over, async ({ id, index }) => {
    const outcome = outcomeOf(await queue.getJob(id))
    if (outcome === 'not yet') return
    results.set(id, outcome)
    onResult?.(outcome, index)
  })
}

function outcomeOf(job: LaneJob | undefined): Outcome {
  if (!job) return gone()
  if (!job.finishedOn) return 'not yet'
  return job.failedReason
    ? { status: 'rejected', reason: new Error(job.failedReason) }
    : { status: 'fulfilled', value: job.returnvalue.output }
}

// A cancelled job leaves no trace.
function gone(): JobResult {
  return { status: 'rejected', reason: new Error('The job was cancelled.') }
}

async function cancelAll(
  { cancel }: RunAllParts,
  ids: readonly string[],
  results: ReadonlyMap<string, JobResult>,
): Promise<void> {
  const limit = pLimit(AT_ONCE)
  const open = ids.filter((id) => !results.has(id)).toReversed()
  // Some have ended meanwhile, or were never added.
  await limit.map(open, (id) => cancel(id).catch(() => undefined))
}
