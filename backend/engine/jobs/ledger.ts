// The ledger `job_runs`. A run goes
//
//   running ──finish──▶ success | partial | failed | timeout
//      │ ▲
//      │ └─take over─ (lease run out, or released by an instance that stops; attempt + 1)
//      └──give up───▶ failed (no attempt left, or the job was paused meanwhile)
//
// and `skipped` is recorded finished. Whoever holds `lease_owner` and `attempt` may write; a write by
// somebody who lost the lease changes nothing and says so.
import type { Clock } from '../clock.ts'
import type { Db } from '../db/index.ts'

export type Ledger = {
  db: Db
  clock: Clock
  /** A uuid of this process. */
  instanceId: string
  /** How long a run of an instance that vanished stays untouched. */
  leaseMs: number
}

export type RunStatus = 'running' | 'success' | 'partial' | 'failed' | 'skipped' | 'timeout'

/** A run that this instance holds. */
export type ClaimedRun = {
  id: string
  jobName: string
  functionName: string
  slot: Date | null
  tenantId: string | null
  metadata: Readonly<Record<string, unknown>>
  timeoutSeconds: number
  attempt: number
  startedAt: Date
}

/** A run asked for by a person. `cronJobId` is null for a function without a cron job. */
export type ManualRun = {
  cronJobId: string | null
  jobName: string
  functionName: string
  tenantId: string | null
  metadata: Readonly<Record<string, unknown>>
  timeoutSeconds: number
  triggeredBy: string
}

export type Ending = {
  status: 'success' | 'partial' | 'failed' | 'timeout'
  message: string
  processed: number
  succeeded: number
  failed: number
  details: Readonly<Record<string, unknown>>
}

export function leaseUntil({ clock, leaseMs }: Ledger): Date {
  return new Date(clock().getTime() + leaseMs)
}

export async function startManualRun(
  ledger: Ledger,
  run: ManualRun,
): Promise<ClaimedRun | 'AlreadyRunning'> {
  const startedAt = ledger.clock()
  const rows = await ledger.db.query<{ id: string }>(
    `insert into job_runs (cron_job_id, tenant_id, job_name, function_name, kind, status,
                           lease_owner, lease_until, started_at, triggered_by)
     values ($1, $2, $3, $4, 'manual', 'running', $5, $6, $7, $8)
     on conflict do nothing
     returning id`,
    [
      run.cronJobId,
      run.tenantId,
      run.jobName,
      run.functionName,
      ledger.instanceId,
      leaseUntil(ledger),
      startedAt,
      run.triggeredBy,
    ],
  )
  const id = rows[0]?.id
  return id === undefined ? 'AlreadyRunning' : { ...run, id, slot: null, attempt: 1, startedAt }
}

/** Takes up to `limit` runs whose lease has run out. Several instances never take the same one. */
export async function takeOverRuns(ledger: Ledger, limit: number): Promise<ClaimedRun[]> {
  return ledger.db.query<ClaimedRun>(
    `with lost as (
       select r.id, c.metadata, c.timeout_seconds
       from job_runs r
       join cron_job c on c.id = r.cron_job_id
       where r.status = 'running' and r.lease_until <= $1 and r.attempt < c.max_attempts and c.is_active
       order by r.lease_until
       limit $2
       for update of r skip locked
     )
     update job_runs r
     set attempt = r.attempt + 1, lease_owner = $3, lease_until = $4, started_at = $1
     from lost
     where r.id = lost.id
     returning r.id, r.job_name as "jobName", r.function_name as "functionName", r.slot,
               r.tenant_id as "tenantId", lost.metadata, lost.timeout_seconds as "timeoutSeconds",
               r.attempt, r.started_at as "startedAt"`,
    [ledger.clock(), limit, ledger.instanceId, leaseUntil(ledger)],
  )
}

export type AbandonedRun = { id: string; job_name: string; attempt: number }

/** Fails the runs whose lease has run out and that nobody may take over. */
export async function giveUpRuns({ db, clock }: Ledger): Promise<AbandonedRun[]> {
  return db.query<AbandonedRun>(
    `with lost as (
       select r.id, c.is_active
       from job_runs r
       left join cron_job c on c.id = r.cron_job_id
       where r.status = 'running' and r.lease_until <= $1
         and (r.attempt >= coalesce(c.max_attempts, 1) or not c.is_active)
       for update of r skip locked
     ), given_up as (
       update job_runs r
       set status = 'failed', finished_at = $1,
           duration_ms = extract(epoch from $1 - r.started_at) * 1000,
           error_message = 'The instance that ran it is gone; attempt ' || r.attempt
             || case when lost.is_active = false then ', and the job is paused.' else ' was the last.' end
       from lost
       where r.id = lost.id
       returning r.id, r.cron_job_id, r.job_name, r.attempt, r.started_at
     ), moved as (
       update cron_job c set last_run = g.started_at from given_up g where c.id = g.cron_job_id
     )
     select id, job_name, attempt from given_up`,
    [clock()],
  )
}

/** False if the lease is lost. */
export async function renewLease(ledger: Ledger, run: ClaimedRun): Promise<boolean> {
  const rows = await ledger.db.query(
    `update job_runs set lease_until = $4
     where id = $1 and lease_owner = $2 and attempt = $3 and status = 'running'
     returning id`,
    [run.id, ledger.instanceId, run.attempt, leaseUntil(ledger)],
  )
  return rows.length === 1
}

/** Gives a run that goes on back, so that another instance takes it over at its next tick. */
export async function releaseRun(ledger: Ledger, run: ClaimedRun): Promise<boolean> {
  const rows = await ledger.db.query(
    `update job_runs set lease_owner = null, lease_until = $4
     where id = $1 and lease_owner = $2 and attempt = $3 and status = 'running'
     returning id`,
    [run.id, ledger.instanceId, run.attempt, ledger.clock()],
  )
  return rows.length === 1
}

/** Writes how a run ended and moves its job's `last_run`. False if the lease was lost: nothing is written. */
export async function finishRun(ledger: Ledger, run: ClaimedRun, end: Ending): Promise<boolean> {
  const finishedAt = ledger.clock()
  const rows = await ledger.db.query(
    `with finished as (
       update job_runs
       set status = $4, finished_at = $5, duration_ms = $6, message = $7, error_message = $8,
           processed_count = $9, success_count = $10, failure_count = $11, metadata = $12
       where id = $1 and lease_owner = $2 and attempt = $3 and status = 'running'
       returning cron_job_id, started_at
     ), moved as (
       update cron_job c set last_run = f.started_at from finished f where c.id = f.cron_job_id
     )
     select started_at from finished`,
    [
      run.id,
      ledger.instanceId,
      run.attempt,
      end.status,
      finishedAt,
      finishedAt.getTime() - run.startedAt.getTime(),
      end.message,
      end.status === 'success' ? null : end.message,
      end.processed,
      end.succeeded,
      end.failed,
      end.details,
    ],
  )
  return rows.length === 1
}
