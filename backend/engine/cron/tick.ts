import { giveUpRuns, runJob, takeOverRuns } from '../jobs/index.ts'
import { dueJobs } from './job-row.ts'
import type { Parts } from './parts.ts'
import { planJobs } from './plan-jobs.ts'
import { takeSlot } from './take-slot.ts'

/**
 * One tick, top to bottom. Every instance ticks, and the claims let one of them act. It starts runs and
 * does not wait for them. `waiting` holds the jobs that this instance looks at as soon as a worker is free.
 */
export async function tick(parts: Parts, waiting: Set<string>): Promise<void> {
  if (parts.workers.isStopping) return
  await giveUpLostRuns(parts)
  await takeOverLostRuns(parts)
  await planJobs(parts)
  await startDueJobs(parts, waiting)
}

async function giveUpLostRuns({ ledger, log }: Parts): Promise<void> {
  for (const { id, job_name, attempt } of await giveUpRuns(ledger)) {
    log.error('A run was given up.', { job: job_name, runId: id, attempt })
  }
}

async function takeOverLostRuns(parts: Parts): Promise<void> {
  const { ledger, workers, log } = parts
  for (const run of await takeOverRuns(ledger, workers.free)) {
    log.warn('A run of an instance that is gone was taken over.', {
      job: run.jobName,
      runId: run.id,
    })
    inBackground(
      parts,
      workers.whenFree((stop) => runJob(parts, run, stop)),
      run.jobName,
    )
  }
}

async function startDueJobs(parts: Parts, waiting: Set<string>): Promise<void> {
  const { ledger, workers } = parts
  const jobs = await dueJobs(ledger.db, ledger.clock())
  for (const job of jobs.filter(({ id }) => !waiting.has(id))) {
    waiting.add(job.id)
    const taken = workers.whenFree((stop) => {
      waiting.delete(job.id)
      return takeSlot(parts, job, stop)
    })
    inBackground(parts, taken, job.name)
  }
}

function inBackground({ log }: Parts, work: Promise<unknown>, job: string): void {
  work.catch((error: unknown) => log.error('A job could not be run.', { job, error }))
}
