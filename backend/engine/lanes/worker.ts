// One process's share of the work. A job ends because its handler ends, or because it is interrupted: then the handler gets a
// moment to let go, and the job is given back, dropped, or left to who has it now.
import { UnrecoverableError, WaitingError, Worker, type IQueueBackend } from 'bullmq'
import { SECOND } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Service } from '../service.ts'
import type { LaneJob, LaneQueue, Output, Payload } from './job.ts'
import { JobInterrupted, type Interruption } from './interruption.ts'
import { promoteOldest } from './aging.ts'
import { QUEUE_NAME, type LaneServer } from './server.ts'
import type { JobHandler } from './lane.ts'
import type { LaneTiming } from './timing.ts'
import { within } from '../within.ts'

export type LaneWorkerParts = {
  server: LaneServer
  queue: LaneQueue
  handlers: ReadonlyMap<string, JobHandler>
  concurrency: number
  timing: LaneTiming
  log: Log
}

export type LaneWorker = Service & {
  /** False unless the job is being done here. */
  interrupt(id: string, why: Interruption): boolean
}

type Running = Map<string, AbortController>
type Shop = LaneWorkerParts & { running: Running; stopping: AbortSignal }

// After so many deaths of processes that did it, a job is taken for their cause.
const DEATHS = 3
const RETRY_MS = 300
const CLOSE_MS = 3000
const SILENCE_MS = 30 * SECOND

export function startLaneWorker(parts: LaneWorkerParts): LaneWorker {
  const { timing, log, queue } = parts
  const running: Running = new Map()
  const stopping = new AbortController()
  const shop = { ...parts, running, stopping: stopping.signal }
  const worker = open(shop)
  const interrupt = (id: string, why: Interruption): boolean => {
    running.get(id)?.abort(new JobInterrupted(why))
    return running.has(id)
  }
  worker.on('lockRenewalFailed', (ids) => ids.forEach((id) => interrupt(id, 'lost')))
  worker.on('error', tellSparingly(log))
  worker.run().catch((error: unknown) => log.error('The lanes do not work.', { error }))
  const ends = [
    every(timing.cancelPollMs, () => findCancelled(queue, running, interrupt)),
    every(timing.ageMs, () => promoteOldest(queue, timing.ageMs)),
  ]
  return {
    interrupt,
    stop: async () => {
      for (const end of ends) end()
      stopping.abort()
      const closed = worker.close()
      for (const id of running.keys()) interrupt(id, 'stopped')
      // What hangs on a server that does not answer ends when the server's connections are closed.
      if (!(await within(timing.letGoMs + CLOSE_MS, closed))) await worker.endTimers()
    },
  }
}

class OwnWorker extends Worker<Payload, Output, string, IQueueBackend, number, string> {
  /** Closing comes to it last, so not at all while it hangs, and the timer would keep the process alive. */
  endTimers(): Promise<void> {
    return this.lockManager.close()
  }
}

function open(shop: Shop): OwnWorker {
  const { server, concurrency, timing } = shop
  const options = {
    connection: '',
    autorun: false,
    concurrency,
    lockDuration: timing.lockMs,
    stalledInterval: timing.stalledMs,
    maxStalledCount: DEATHS,
    drainDelay: server.lookSeconds,
    runRetryDelay: RETRY_MS,
  }
  return new OwnWorker(
    QUEUE_NAME,
    (job, token) => work(shop, job, token ?? ''),
    options,
    server.factory,
  )
}

async function work(shop: Shop, job: LaneJob, token: string): Promise<Output> {
  const id = job.id ?? ''
  const interruption = new AbortController()
  shop.running.set(id, interruption)
  if (job.data.isCancelled) interruption.abort(new JobInterrupted('cancelled'))
  // It was being fetched when the others were told to stop.
  if (shop.stopping.aborted) interruption.abort(new JobInterrupted('stopped'))
  try {
    return { output: await untilInterrupted(shop, job, interruption.signal) }
  } catch (error) {
    const reason: unknown = interruption.signal.reason
    throw reason instanceof JobInterrupted ? await letGo(job, token, reason.why) : error
  } finally {
    shop.running.delete(id)
  }
}

async function untilInterrupted(
  { handlers, timing }: Shop,
  job: LaneJob,
  signal: AbortSignal,
): Promise<unknown> {
  signal.throwIfAborted()
  const handler = handlers.get(job.name)
  if (!handler) throw new UnrecoverableError(`Nothing here does jobs of the kind "${job.name}".`)
  const done = handler(job.data.input, {
    id: job.id ?? '',
    attempt: job.attemptsMade + 1,
    signal,
    progress: (percent) => job.updateProgress(percent),
  })
  const interrupted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      void within(timing.letGoMs, done).then(() => reject(signal.reason))
    })
  })
  return Promise.race([done, interrupted])
}

/** What BullMQ is to be told: of a job that waits again or is another's, nothing more; of a cancelled one, nothing is kept. */
async function letGo(job: LaneJob, token: string, why: Interruption): Promise<Error> {
  if (why === 'stopped') await job.moveToWait(token)
  if (why !== 'cancelled') return new WaitingError()
  job.opts.removeOnFail = true
  return new UnrecoverableError('The job was cancelled.')
}

async function findCancelled(
  queue: LaneQueue,
  running: Running,
  interrupt: LaneWorker['interrupt'],
): Promise<void> {
  for (const id of running.keys()) {
    const job = await queue.getJob(id)
    if (job?.data.isCancelled) interrupt(id, 'cancelled')
  }
}

// While a server is away the same is reported several times a second.
function tellSparingly(log: Log): (error: Error) => void {
  let told: { message: string; at: number } | undefined
  return (error) => {
    const at = performance.now()
    const isKnown = told?.message === error.message && at - told.at < SILENCE_MS
    if (!isKnown) log.warn('The lanes had a problem.', { error })
    if (!isKnown) told = { message: error.message, at }
  }
}

// What could not be done now is done next time.
function every(ms: number, look: () => Promise<void>): () => void {
  let isBusy = false
  const timer = setInterval(() => {
    if (isBusy) return
    isBusy = true
    look()
      .catch(() => undefined)
      .finally(() => (isBusy = false))
  }, ms)
  return () => clearInterval(timer)
}
