// "Run what is due", for a scheduler outside: the same slots, claims and rules as in a tick, but awaited.
import { messageOf } from '../errors.ts'
import type { RunEnd } from '../jobs/index.ts'
import { dueJobs, type JobRow } from './job-row.ts'
import type { Parts } from './parts.ts'
import { planJobs } from './plan-jobs.ts'
import { takeSlot } from './take-slot.ts'

/** `failed` lists every run that was not a full success; `skipped` counts what another run or rule left out. */
export type DueAnswer = {
  summary: { total: number; executed: number; skipped: number; failed: number; duration_ms: number }
  executed: {
    id: string
    name: string
    function_name: string
    next_run: string | null
    executed_at: string
  }[]
  failed: { id: string; name: string; error: string }[]
}

type Outcome = { job: JobRow } & (
  | { kind: 'executed'; executedAt: Date }
  | { kind: 'skipped' }
  | { kind: 'failed'; error: string }
)

export async function runDueNow(parts: Parts): Promise<DueAnswer> {
  const { db, clock } = parts.ledger
  const startedAt = clock()
  await planJobs(parts)
  const jobs = await dueJobs(db, startedAt)
  const outcomes = await Promise.all(jobs.map((job) => outcomeOf(parts, job)))
  const executed = outcomes.filter((outcome) => outcome.kind === 'executed')
  const failed = outcomes.filter((outcome) => outcome.kind === 'failed')
  const nextRuns = await nextRunsOf(parts, jobs)
  return {
    summary: {
      total: jobs.length,
      executed: executed.length,
      skipped: jobs.length - executed.length - failed.length,
      failed: failed.length,
      duration_ms: clock().getTime() - startedAt.getTime(),
    },
    executed: executed.map(({ job: { id, name, function_name }, executedAt }) => {
      const next_run = nextRuns.get(id)?.toISOString() ?? null
      return { id, name, function_name, next_run, executed_at: executedAt.toISOString() }
    }),
    failed: failed.map(({ job: { id, name }, error }) => ({ id, name, error })),
  }
}

async function outcomeOf(parts: Parts, job: JobRow): Promise<Outcome> {
  try {
    const taken = await parts.workers.whenFree((stop) => takeSlot(parts, job, stop))
    if (taken === 'Paused')
      return { job, kind: 'failed', error: 'The job is wrong and was paused.' }
    return typeof taken === 'string' ? { job, kind: 'skipped' } : outcomeOfRun(job, taken)
  } catch (error) {
    parts.log.error('A job could not be run.', { job: job.name, error })
    return { job, kind: 'failed', error: messageOf(error) }
  }
}

function outcomeOfRun(job: JobRow, end: RunEnd): Outcome {
  if (end.status === 'success') return { job, kind: 'executed', executedAt: end.startedAt }
  if (end.status === 'released' || end.status === 'lost') return { job, kind: 'skipped' }
  return { job, kind: 'failed', error: end.message }
}

async function nextRunsOf(
  { ledger }: Parts,
  jobs: readonly JobRow[],
): Promise<Map<string, Date | null>> {
  const rows = await ledger.db.query<{ id: string; next_run: Date | null }>(
    'select id, next_run from cron_job where id = any ($1)',
    [jobs.map(({ id }) => id)],
  )
  return new Map(rows.map(({ id, next_run }) => [id, next_run]))
}
