// What people and routes ask of the queue: how much there is, what died, and to stop or repeat a job.
import { PrewarmError } from '../errors.ts'
import { jobOptions, laneOf, newJobId, viewOf, type LaneJob, type LaneQueue } from './job.ts'
import type { LaneTiming } from './timing.ts'
import { LANES, type JobId, type JobView, type Lane, type LaneCounts } from './lane.ts'

const STATES = {
  waiting: ['wait', 'prioritized'],
  active: ['active'],
  delayed: ['delayed'],
  failed: ['failed'],
  completed: ['completed'],
} as const

export async function countJobs(queue: LaneQueue): Promise<Record<Lane, LaneCounts>> {
  const count = async (state: keyof typeof STATES): Promise<(lane: Lane) => number> => {
    const ids = await queue.getRanges([...STATES[state]], 0, -1)
    return (lane) => ids.filter((id) => laneOf(id) === lane).length
  }
  const [waiting, active, delayed, failed, completed] = await Promise.all([
    count('waiting'),
    count('active'),
    count('delayed'),
    count('failed'),
    count('completed'),
  ])
  const of = (lane: Lane): LaneCounts => ({
    waiting: waiting(lane),
    active: active(lane),
    delayed: delayed(lane),
    failed: failed(lane),
    completed: completed(lane),
  })
  return { high: of('high'), normal: of('normal'), low: of('low') }
}

export async function listJobs(
  queue: LaneQueue,
  state: 'active' | 'failed',
  limit = 0,
): Promise<JobView[]> {
  return Promise.all((await queue.getJobs([state], 0, limit - 1)).map(viewOf))
}

export async function findJob(queue: LaneQueue, id: string): Promise<JobView> {
  return viewOf(await existing(queue, id))
}

/** Added anew before the old one goes, so that it is never lost and `once` holds for it too. */
export async function retryJob(
  queue: LaneQueue,
  id: string,
  { backoffMs }: LaneTiming,
): Promise<JobId> {
  const job = await deadLetter(queue, id)
  const { once } = job.data
  const lane = laneOf(id)
  const attempts = job.opts.attempts ?? 1
  const options = { lane, attempts, ...(once === undefined ? {} : { once }) }
  const newId = newJobId(lane)
  const added = await queue.add(job.name, job.data, jobOptions(newId, options, backoffMs))
  if (added.id !== newId) throw conflict(`A job "${once}" waits or runs already.`)
  await job.remove()
  return newId
}

/** `interrupt` reaches a job that runs here; the process that runs it elsewhere finds the mark. */
export async function cancelJob(
  queue: LaneQueue,
  id: string,
  interrupt: (id: string) => boolean,
): Promise<void> {
  if (interrupt(id)) return
  const job = await existing(queue, id)
  const { state } = await viewOf(job)
  if (state === 'completed' || state === 'failed') throw conflict('The job has ended.')
  const isRemoved = state !== 'active' && (await removed(job))
  if (!isRemoved) await job.updateData({ ...job.data, isCancelled: true })
}

export async function discardJob(queue: LaneQueue, id: string): Promise<void> {
  const job = await deadLetter(queue, id)
  await job.remove()
}

// It cannot be removed when a worker has just taken it.
function removed(job: LaneJob): Promise<boolean> {
  return job.remove().then(
    () => true,
    () => false,
  )
}

async function deadLetter(queue: LaneQueue, id: string): Promise<LaneJob> {
  const job = await existing(queue, id)
  if (await job.isFailed()) return job
  throw conflict('Only a job whose last attempt failed can be retried or discarded.')
}

// Nothing else is a job's id, and PostgreSQL cannot even look for a NUL.
const IDS = new RegExp(`^(${LANES.join('|')})-[\\w-]+$`)

async function existing(queue: LaneQueue, id: string): Promise<LaneJob> {
  const job = IDS.test(id) ? await queue.getJob(id) : undefined
  if (job) return job
  throw new PrewarmError('not_found', 'There is no such job.', { field: 'id' })
}

function conflict(message: string): PrewarmError {
  return new PrewarmError('conflict', message)
}
