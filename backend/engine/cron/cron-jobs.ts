import type { Clock } from '../clock.ts'
import type { Db, Queryable } from '../db/index.ts'
import { badRequest, PrewarmError } from '../errors.ts'
import type { Executors } from '../jobs/index.ts'
import {
  checked,
  checkUuid,
  type CronJobChanges,
  cronJobChanges,
  newCronJob,
} from './cron-job-input.ts'
import { insertJob } from './insert-job.ts'
import { findJob, JOB_COLUMNS, type JobRow } from './job-row.ts'
import type { Timetable } from './timetable.ts'

type Time = 'last_run' | 'next_run' | 'created_at' | 'updated_at'

/** A row of `cron_job` as the API shows it; every time is an ISO text. */
export type CronJob = Omit<JobRow, Time | 'zones'> & {
  last_run: string | null
  next_run: string | null
  created_at: string
  updated_at: string
}

/** The cron jobs, for people who manage them. An id that does not exist is `not_found`. */
export type CronJobs = {
  list(filter: {
    tenantId?: string | undefined
    isActive?: boolean | undefined
  }): Promise<CronJob[]>
  get(id: string): Promise<CronJob>
  /** The body of a request, unchecked. */
  create(input: unknown): Promise<CronJob>
  update(id: string, input: unknown): Promise<CronJob>
  remove(id: string): Promise<CronJob>
  pause(id: string, reason: string): Promise<CronJob>
  /** Plans the job from now on; what was missed meanwhile is not made up for. */
  resume(id: string): Promise<CronJob>
}

type Store = { db: Db; clock: Clock; executors: Executors; timetable: Timetable }

export function createCronJobs(store: Store): CronJobs {
  return {
    list: (filter) => listJobs(store.db, filter),
    get: async (id) => present(await existing(store.db, id)),
    create: (input) => createJob(store, input),
    update: async (id, input) => changeJob(store, id, checkChanges(store, input)),
    remove: (id) => removeJob(store.db, id),
    pause: (id, reason) => changeJob(store, id, { is_active: false, paused_reason: reason }),
    resume: (id) => changeJob(store, id, { is_active: true }),
  }
}

async function listJobs(
  db: Db,
  { tenantId, isActive }: Parameters<CronJobs['list']>[0],
): Promise<CronJob[]> {
  if (tenantId !== undefined) checkUuid('tenant_id', tenantId)
  const rows = await db.query<JobRow>(
    `select ${JOB_COLUMNS} from cron_job c
     where ($1::uuid is null or c.tenant_id = $1) and ($2::boolean is null or c.is_active = $2)
     order by c.name`,
    [tenantId, isActive],
  )
  return rows.map(present)
}

async function createJob(store: Store, input: unknown): Promise<CronJob> {
  const job = checked(newCronJob, input)
  store.executors.get(job.function_name)
  const created = await store.db
    .transaction((tx) => insertJob(tx, job, store.timetable, store.clock()))
    .catch(explain)
  if (created === 'NameTaken') throw nameTaken()
  return present(created)
}

function checkChanges({ executors }: Store, input: unknown): CronJobChanges {
  const changes = checked(cronJobChanges, input)
  if (Object.keys(changes).length === 0) throw badRequest('body', 'No fields to update')
  if (changes.function_name !== undefined) executors.get(changes.function_name)
  return changes
}

async function changeJob(
  store: Store,
  id: string,
  changes: CronJobChanges & { paused_reason?: string },
): Promise<CronJob> {
  const changed = store.db.transaction(async (tx) => {
    const before = await existing(tx, id, 'for update')
    const after = { ...before, ...changes }
    if (after.is_active) after.paused_reason = null
    const [row = after] = await writeJob(tx, after, store.clock())
    const slotAfter = store.timetable.slotsOf(row)
    if (!changesPlan(before, row)) return row
    const next = row.is_active ? (slotAfter(store.clock()) ?? null) : null
    await tx.query('update cron_job set next_run = $2 where id = $1', [id, next])
    return { ...row, next_run: next }
  })
  return present(await changed.catch(explain))
}

function changesPlan(before: JobRow, after: JobRow): boolean {
  return (
    before.schedule !== after.schedule ||
    before.timezone !== after.timezone ||
    before.is_active !== after.is_active
  )
}

function writeJob(tx: Queryable, job: JobRow, now: Date): Promise<JobRow[]> {
  return tx.query<JobRow>(
    `update cron_job c
     set name = $2, schedule = $3, function_name = $4, is_active = $5, metadata = $6, timezone = $7,
         misfire = $8, overlap = $9, timeout_seconds = $10, max_attempts = $11, paused_reason = $12,
         updated_at = $13
     where c.id = $1
     returning ${JOB_COLUMNS}`,
    [
      job.id,
      job.name,
      job.schedule,
      job.function_name,
      job.is_active,
      job.metadata,
      job.timezone,
      job.misfire,
      job.overlap,
      job.timeout_seconds,
      job.max_attempts,
      job.paused_reason,
      now,
    ],
  )
}

async function removeJob(db: Db, id: string): Promise<CronJob> {
  const job = await existing(db, id)
  await db.query('delete from cron_job where id = $1', [id])
  return present(job)
}

/** The job's row, or a `not_found`. */
export async function existing(
  db: Queryable,
  id: string,
  lock: 'for update' | '' = '',
): Promise<JobRow> {
  const job = await findJob(db, id, lock)
  if (job === undefined) throw new PrewarmError('not_found', 'Cron job not found', { field: 'id' })
  return job
}

function present(row: JobRow): CronJob {
  const { zones: _, ...job } = row
  return {
    ...job,
    last_run: job.last_run?.toISOString() ?? null,
    next_run: job.next_run?.toISOString() ?? null,
    created_at: job.created_at.toISOString(),
    updated_at: job.updated_at.toISOString(),
  }
}

function nameTaken(): PrewarmError {
  return new PrewarmError('conflict', 'A cron job of this name exists already.', { field: 'name' })
}

function explain(error: unknown): never {
  const constraint = error instanceof Error && 'constraint' in error ? error.constraint : undefined
  if (constraint === 'cron_job_name_key') throw nameTaken()
  if (constraint === 'cron_job_tenant_id_fkey') {
    throw badRequest('tenant_id', 'There is no tenant with this id.')
  }
  throw error
}
