// Many jobs at once, and what became of each. Who waits looks at the queue from time to time instead of listening to events:
// events can be missed while a connection is cut, the state of a job cannot.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import pLimit from 'p-limit'
import { PrewarmError } from '../errors.ts'
import type { Log } from '../log.ts'
import { within } from '../within.ts'
import { jobOptions, newJobId, type LaneJob, type LaneQueue } from './job.ts'
import type { JobId, JobResult, RunAllOptions } from './lane.ts'
import { startPatience, type Patience, type PatienceMs } from './patience.ts'
import { ANSWER_MS } from './server.ts'
import type { LaneTiming } from './timing.ts'

export type RunAllParts = {
  queue: LaneQueue
  cancel: (id: string) => Promise<void>
  timing: LaneTiming
  log: Log
  /** Aborted when the lanes are stopped. */
  stopping: AbortSignal
}

type Batch = RunAllOptions & { kind: string; datas: readonly unknown[] }
type Asking = RunAllParts & { patience: Patience; ended: AbortSignal }
type Results = Map<JobId, JobResult>

const ADD_AT_ONCE = 500
const AT_ONCE = 10
// In this order a job that moves on while we look is seen in one of them, or looked at by itself.
const LIVE = ['wait', 'prioritized', 'delayed', 'active'] as const

// A cancelled job leaves no trace.
const GONE: JobResult = { status: 'rejected', reason: new Error('The job was cancelled.') }

export async function runAll(parts: RunAllParts, batch: Batch): Promise<JobResult[]> {
  const { signal, lane, datas } = batch
  const patience = startPatience(patienceOf(parts, batch))
  const ended = AbortSignal.any([parts.stopping, patience.over, ...(signal ? [signal] : [])])
  const asking = { ...parts, patience, ended }
  const ids = datas.map(() => newJobId(lane))
  const results: Results = new Map()
  try {
    await persist(asking, () => addAll(parts, batch, ids))
    await waitForAll(asking, batch, { ids, results })
  } catch (error) {
    if (!parts.stopping.aborted) await within(ANSWER_MS, cancelAll(parts, ids, results))
    ended.throwIfAborted()
    throw error
  } finally {
    patience.end()
  }
  return ids.map((id) => results.get(id) ?? GONE)
}

function patienceOf({ timing }: RunAllParts, { patienceMs = Infinity }: Batch): PatienceMs {
  return { busyMs: patienceMs, idleMs: patienceMs === Infinity ? Infinity : timing.idleMs }
}

async function waitForAll(
  asking: Asking,
  { onResult }: Batch,
  { ids, results }: { ids: readonly JobId[]; results: Results },
): Promise<void> {
  const { queue, patience, timing, ended } = asking
  let before = new Set<string>()
  for (;;) {
    const open = ids.filter((id) => !results.has(id))
    const { live, isBusy, over } = await persist(asking, () => look(queue, open))
    if (isLost(open, over)) throw lost()
    for (const { id, result } of over) {
      results.set(id, result)
      onResult?.(result, ids.indexOf(id))
    }
    if (results.size === ids.length) return
    // Also when it was somebody else's job: those in front of ours come to an end, so ours will have their turn.
    if (over.length > 0 || isAnyGone(before, live)) patience.renew()
    patience.look(isBusy)
    before = live
    await sleep(timing.pollMs, undefined, { signal: ended })
  }
}

function isAnyGone(before: ReadonlySet<string>, now: ReadonlySet<string>): boolean {
  return [...before].some((id) => !now.has(id))
}

/** Tries again until it succeeds, as the queue may be away for a while. */
async function persist<T>({ timing, log, ended }: Asking, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    ended.throwIfAborted()
    try {
      return await orEnded(ended, work())
    } catch (error) {
      ended.throwIfAborted()
      if (attempt === 1) log.warn('The queue does not answer; trying again.', { error })
    }
    await sleep(timing.pollMs, undefined, { signal: ended })
  }
}

/** What hangs when all is ended is left to itself. */
async function orEnded<T>(ended: AbortSignal, work: Promise<T>): Promise<T> {
  const settled = new AbortController()
  const end = once(ended, 'abort', { signal: settled.signal })
  const endsFirst = end.then((): never => {
    throw ended.reason
  })
  return Promise.race([work, endsFirst]).finally(() => settled.abort())
}

/** As the ids are known beforehand, what was added already is not added again. */
async function addAll(
  { queue, timing }: RunAllParts,
  { kind, datas, ...options }: Batch,
  ids: readonly JobId[],
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

type Look = { live: Set<string>; isBusy: boolean; over: Ended[] }
type Ended = { id: JobId; result: JobResult }

/** All jobs that wait or run, whether any runs, and those of `ids` that have ended. */
async function look(queue: LaneQueue, ids: readonly JobId[]): Promise<Look> {
  const live = new Set(await queue.getRanges([...LIVE], 0, -1))
  const notLive = ids.filter((id) => !live.has(id))
  const limit = pLimit(AT_ONCE)
  const outcomes = await limit.map(notLive, async (id) => outcomesOf(id, await queue.getJob(id)))
  return { live, isBusy: (await queue.getActiveCount()) > 0, over: outcomes.flat() }
}

/** Empty unless it has ended. */
function outcomesOf(id: JobId, job: LaneJob | undefined): Ended[] {
  if (!job) return [{ id, result: GONE }]
  if (!job.finishedOn) return []
  return [{ id, result: resultOf(job) }]
}

function resultOf(job: LaneJob): JobResult {
  return job.failedReason
    ? { status: 'rejected', reason: new Error(job.failedReason) }
    : { status: 'fulfilled', value: job.returnvalue.output }
}

/** Nobody cancels several at once; a server that comes back without its data has none of them any more. */
function isLost(open: readonly JobId[], over: readonly Ended[]): boolean {
  return (
    open.length > 1 && over.length === open.length && over.every(({ result }) => result === GONE)
  )
}

function lost(): PrewarmError {
  return new PrewarmError(
    'unavailable',
    'The queue has lost its jobs: its server came back without its data.',
  )
}

async function cancelAll(
  { cancel }: RunAllParts,
  ids: readonly JobId[],
  results: Results,
): Promise<void> {
  const limit = pLimit(AT_ONCE)
  const open = ids.filter((id) => !results.has(id)).toReversed()
  // Some have ended meanwhile, or were never added.
  await limit.map(open, (id) => cancel(id).catch(() => undefined))
}
