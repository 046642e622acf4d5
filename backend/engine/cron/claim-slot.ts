// A slot is claimed by inserting its run, in the same statement that moves the job to its next slot.
// Whatever the number of instances, one insert succeeds. Losing is normal, and has a name.
import { type ClaimedRun, leaseUntil, type Ledger } from '../jobs/index.ts'
import type { JobRow } from './job-row.ts'

/** One slot of a job, and when the job is due after it. */
export type SlotOfJob = { job: JobRow; slot: Date; next: Date | undefined }

/** `SlotTaken`: it is another's, or was run before, or the job changed. `StillRunning`: an earlier run goes on. */
export type NotClaimed = 'SlotTaken' | 'StillRunning'

export async function claimSlot(ledger: Ledger, due: SlotOfJob): Promise<ClaimedRun | NotClaimed> {
  const startedAt = ledger.clock()
  const lease = { lease_owner: ledger.instanceId, lease_until: leaseUntil(ledger) }
  const id = await recordSlot(ledger, due, { status: 'running', started_at: startedAt, ...lease })
  if (id === undefined) return whyNot(ledger, due)
  const { job, slot } = due
  return {
    id,
    jobName: job.name,
    functionName: job.function_name,
    slot,
    tenantId: job.tenant_id,
    metadata: job.metadata,
    timeoutSeconds: job.timeout_seconds,
    attempt: 1,
    startedAt,
  }
}

/** Leaves a slot out, and says why in the history. */
export async function skipSlot(
  ledger: Ledger,
  due: SlotOfJob,
  reason: string,
): Promise<'Skipped' | 'SlotTaken'> {
  const now = ledger.clock()
  const skipped = { started_at: now, finished_at: now, duration_ms: 0, error_message: reason }
  const id = await recordSlot(ledger, due, { status: 'skipped', ...skipped })
  return id === undefined ? 'SlotTaken' : 'Skipped'
}

// The job's row is locked first: a loser waits for the winner, then sees that `next_run` has moved.
async function recordSlot(
  { db }: Ledger,
  { job, slot, next }: SlotOfJob,
  run: Readonly<Record<string, unknown>>,
): Promise<string | undefined> {
  const rows = await db.query<{ id: string }>(
    `with job as (
       select * from cron_job
       where id = $1 and is_active and date_trunc('milliseconds', next_run) = $2
       for update
     ), recorded as (
       insert into job_runs (cron_job_id, tenant_id, job_name, function_name, kind, slot, triggered_by,
                             status, started_at, finished_at, duration_ms, error_message,
                             lease_owner, lease_until)
       select job.id, job.tenant_id, job.name, job.function_name, 'cron', $3::timestamptz, 'schedule',
              run.status, run.started_at, run.finished_at, run.duration_ms, run.error_message,
              run.lease_owner, run.lease_until
       from job, jsonb_populate_record(null::job_runs, $5) run
       on conflict do nothing
       returning id, cron_job_id
     ), moved as (
       update cron_job c set next_run = $4 from recorded where c.id = recorded.cron_job_id
     )
     select id from recorded`,
    [job.id, job.next_run, slot, next ?? null, run],
  )
  return rows[0]?.id
}

// A slot that was run before, because `next_run` was set back by hand, is stepped over: else the job
// would be due for ever.
async function whyNot({ db }: Ledger, { job, slot, next }: SlotOfJob): Promise<NotClaimed> {
  const rows = await db.query<{ is_recorded: boolean; is_running: boolean }>(
    `with run as (
       select slot, status from job_runs
       where cron_job_id = $1 and (slot = $3 or status = 'running')
     ), stepped as (
       update cron_job set next_run = $4
       where id = $1 and date_trunc('milliseconds', next_run) = $2
         and exists (select from run where slot = $3)
     )
     select exists (select from run where slot = $3) as is_recorded,
            exists (select from run where status = 'running') as is_running`,
    [job.id, job.next_run, slot, next ?? null],
  )
  const { is_recorded = false, is_running = false } = rows[0] ?? {}
  return is_running && !is_recorded ? 'StillRunning' : 'SlotTaken'
}
