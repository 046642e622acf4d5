// One claimed run, from the executor's first line to the row in the ledger. Whatever the executor does,
// the run ends: it says how it went, it throws, its time is up, its lease is lost, or the process stops.
import { SECOND } from '../clock.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Executor, RunContext } from './executor.ts'
import type { Executors } from './executors.ts'
import {
  type ClaimedRun,
  type Ending,
  finishRun,
  type Ledger,
  releaseRun,
  renewLease,
} from './ledger.ts'
import { within } from '../within.ts'

export type Workshop = { ledger: Ledger; executors: Executors; log: Log }

/** `released`: the process stops, another instance goes on. `lost`: another instance has it already. */
export type RunEnd = { runId: string; startedAt: Date; durationMs: number } & (Ending | GivenAway)

type GivenAway = { status: 'released'; message: string } | { status: 'lost'; message: string }

type Interruption = 'timeout' | 'lease lost' | 'stopped'

class RunInterrupted extends Error {
  readonly why: Interruption

  constructor(why: Interruption) {
    super(`The run was interrupted: ${why}.`)
    this.name = 'AbortError'
    this.why = why
  }
}

// An executor that obeys its signal gets this long to let go, so that nobody else starts beside it.
const LET_GO_MS = SECOND

export async function runJob(
  workshop: Workshop,
  run: ClaimedRun,
  stop: AbortSignal,
): Promise<RunEnd> {
  const interruption = new AbortController()
  const interrupt = (why: Interruption) => interruption.abort(new RunInterrupted(why))
  const endWatch = watch(workshop, run, stop, interrupt)
  try {
    const end = await attempt(workshop.executors, run, interruption.signal)
    const written = await write(workshop, run, end)
    report(workshop.log, run, written)
    const durationMs = workshop.ledger.clock().getTime() - run.startedAt.getTime()
    return { ...written, runId: run.id, startedAt: run.startedAt, durationMs }
  } finally {
    endWatch()
  }
}

function watch(
  { ledger, log }: Workshop,
  run: ClaimedRun,
  stop: AbortSignal,
  interrupt: (why: Interruption) => void,
): () => void {
  const timeout = setTimeout(() => interrupt('timeout'), run.timeoutSeconds * SECOND)
  const endLease = keepLease(ledger, run, {
    onLost: () => interrupt('lease lost'),
    onError: (error) => log.warn('A lease could not be renewed.', { runId: run.id, error }),
  })
  const onStop = () => interrupt('stopped')
  if (stop.aborted) onStop()
  stop.addEventListener('abort', onStop)
  return () => {
    clearTimeout(timeout)
    endLease()
    stop.removeEventListener('abort', onStop)
  }
}

// A lease that could not be renewed in time counts as lost, because by then another instance may have it.
function keepLease(
  ledger: Ledger,
  run: ClaimedRun,
  { onLost, onError }: { onLost: () => void; onError: (error: unknown) => void },
): () => void {
  let isOver = false
  const expiry = setTimeout(onLost, ledger.leaseMs)
  const renewed = (held: boolean) => {
    if (isOver) return
    if (held) expiry.refresh()
    else onLost()
  }
  const renewal = setInterval(() => {
    void renewLease(ledger, run).then(renewed, onError)
  }, ledger.leaseMs / 3)
  return () => {
    isOver = true
    clearTimeout(expiry)
    clearInterval(renewal)
  }
}

async function attempt(
  executors: Executors,
  run: ClaimedRun,
  signal: AbortSignal,
): Promise<Ending | Interruption> {
  const executor = executors.find(run.functionName)
  if (executor === undefined) return failed(`There is no function "${run.functionName}".`)
  const work = endingOf(executor.execute, contextOf(run, signal))
  const ending = await Promise.race([work, whenAborted(signal)])
  const reason: unknown = signal.reason
  if (!(reason instanceof RunInterrupted)) return ending
  await within(LET_GO_MS, work)
  return reason.why
}

async function endingOf(execute: Executor, context: RunContext): Promise<Ending> {
  try {
    return await execute(context)
  } catch (error) {
    return failed(messageOf(error))
  }
}

function contextOf(run: ClaimedRun, signal: AbortSignal): RunContext {
  const { id, slot, tenantId, metadata } = run
  return { runId: id, slot, tenantId, metadata, signal }
}

function whenAborted(signal: AbortSignal): Promise<Ending> {
  return new Promise((resolve) => {
    const end = () => resolve(failed('The run was interrupted.'))
    if (signal.aborted) end()
    signal.addEventListener('abort', end)
  })
}

async function write(
  { ledger, log }: Workshop,
  run: ClaimedRun,
  end: Ending | Interruption,
): Promise<Ending | GivenAway> {
  const lost = { status: 'lost', message: 'Another instance took this run over.' } as const
  if (end === 'lease lost') return lost
  if (end === 'stopped') {
    const released = await releaseRun(ledger, run)
    const message = 'The service is stopping; another instance goes on with this run.'
    return released ? { status: 'released', message } : lost
  }
  const ending = end === 'timeout' ? timedOut(run) : end
  const finished = await finishRun(ledger, run, ending).catch((error: unknown) => {
    log.error('The result of a run could not be stored.', { runId: run.id, error })
    return finishRun(ledger, run, failed(`The result could not be stored: ${messageOf(error)}`))
  })
  return finished ? ending : lost
}

function timedOut(run: ClaimedRun): Ending {
  const message = `It was stopped after ${run.timeoutSeconds} s, the timeout of the job.`
  return { ...failed(message), status: 'timeout' }
}

function failed(message: string): Ending {
  return { status: 'failed', message, processed: 0, succeeded: 0, failed: 0, details: {} }
}

function report(
  log: Log,
  run: ClaimedRun,
  { status, message }: { status: string; message: string },
) {
  const details = {
    job: run.jobName,
    function_name: run.functionName,
    runId: run.id,
    attempt: run.attempt,
    status,
    message,
  }
  if (status === 'success') log.info('A job ran.', details)
  else log.warn('A job did not end well.', details)
}
