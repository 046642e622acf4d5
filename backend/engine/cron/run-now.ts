// Runs that a person or another scheduler asks for, and waits for.
import { badRequest, PrewarmError } from '../errors.ts'
import { type ManualRun, runJob, type RunEnd, startManualRun } from '../jobs/index.ts'
import { checkUuid } from './cron-job-input.ts'
import { existing } from './cron-jobs.ts'
import { JOB_COLUMNS, type JobRow } from './job-row.ts'
import type { Parts } from './parts.ts'

export type JobSummary = { id: string; name: string; function_name: string }

/** How a run by hand ended. `success` is true only if everything went well. */
export type RunAnswer = {
  /** Null for a function that was run without a cron job. */
  job: JobSummary | null
  result: {
    run_id: string
    status: 'success' | 'partial' | 'failed' | 'timeout'
    success: boolean
    message: string
    processed: number
    succeeded: number
    failed: number
    details: Readonly<Record<string, unknown>>
  }
  duration_ms: number
}

export type ExecuteOptions = {
  /** Only this tenant; all tenants unless given. */
  tenantId?: string | undefined
  triggeredBy: string
}

const TIMEOUT_SECONDS = 3600

/** Runs one cron job now, outside its slots. A job that is running already is a conflict. */
export async function runJobNow(parts: Parts, id: string, triggeredBy: string): Promise<RunAnswer> {
  const job = await existing(parts.ledger.db, id)
  parts.executors.get(job.function_name)
  return runAndAnswer(parts, job, runOf(job, triggeredBy))
}

/**
 * Runs a function now. If exactly one cron job for the same tenants has this function, the run is that
 * job's, so that its `last_run` moves.
 */
export async function execute(
  parts: Parts,
  functionName: string,
  { tenantId, triggeredBy }: ExecuteOptions,
): Promise<RunAnswer> {
  const { name, spellings } = parts.executors.get(functionName)
  if (tenantId !== undefined) await checkTenant(parts, tenantId)
  const jobs = await jobsOf(parts, spellings, tenantId)
  const [job] = jobs
  if (job !== undefined && jobs.length === 1)
    return runAndAnswer(parts, job, runOf(job, triggeredBy))
  return runAndAnswer(parts, null, {
    cronJobId: null,
    jobName: name,
    functionName: name,
    tenantId: tenantId ?? null,
    metadata: {},
    timeoutSeconds: TIMEOUT_SECONDS,
    triggeredBy,
  })
}

function runOf(job: JobRow, triggeredBy: string): ManualRun {
  return {
    cronJobId: job.id,
    jobName: job.name,
    functionName: job.function_name,
    tenantId: job.tenant_id,
    metadata: job.metadata,
    timeoutSeconds: job.timeout_seconds,
    triggeredBy,
  }
}

async function checkTenant({ ledger }: Parts, tenantId: string): Promise<void> {
  checkUuid('tenant_id', tenantId)
  const rows = await ledger.db.query('select id from tenant where id = $1', [tenantId])
  if (rows.length === 0) throw badRequest('tenant_id', 'There is no tenant with this id.')
}

function jobsOf(
  { ledger }: Parts,
  spellings: readonly string[],
  tenantId: string | undefined,
): Promise<JobRow[]> {
  return ledger.db.query<JobRow>(
    `select ${JOB_COLUMNS} from cron_job c
     where c.function_name = any ($1) and c.tenant_id is not distinct from $2
     limit 2`,
    [spellings, tenantId ?? null],
  )
}

async function runAndAnswer(parts: Parts, job: JobRow | null, run: ManualRun): Promise<RunAnswer> {
  if (parts.workers.isStopping) throw new PrewarmError('unavailable', 'The service is stopping.')
  const end = await parts.workers.atOnce(async (stop) => {
    const claimed = await startManualRun(parts.ledger, run)
    if (claimed !== 'AlreadyRunning') return runJob(parts, claimed, stop)
    throw new PrewarmError('conflict', `The job "${run.jobName}" is running already.`)
  })
  return answerOf(job, end)
}

function answerOf(job: JobRow | null, end: RunEnd): RunAnswer {
  if (end.status === 'released' || end.status === 'lost') {
    throw new PrewarmError('unavailable', end.message)
  }
  const { runId, startedAt: _, durationMs, ...result } = end
  return {
    job: job && { id: job.id, name: job.name, function_name: job.function_name },
    result: { run_id: runId, success: result.status === 'success', ...result },
    duration_ms: durationMs,
  }
}
