import type { Queryable } from '../db/index.ts'
import type { NewCronJob } from './cron-job-input.ts'
import { JOB_COLUMNS, type JobRow } from './job-row.ts'
import type { Timetable } from './timetable.ts'

/**
 * Inserts a job and plans it from `now` on; it is never due at once. Throws a bad request for a wrong
 * schedule or zone, so it belongs into a transaction.
 */
export async function insertJob(
  tx: Queryable,
  job: NewCronJob,
  timetable: Timetable,
  now: Date,
): Promise<JobRow | 'NameTaken'> {
  const rows = await tx.query<JobRow>(
    `insert into cron_job as c (tenant_id, name, schedule, function_name, is_active, metadata, timezone,
                                misfire, overlap, timeout_seconds, max_attempts, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)
     on conflict (name) do nothing
     returning ${JOB_COLUMNS}`,
    [
      job.tenant_id,
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
      now,
    ],
  )
  const row = rows[0]
  if (row === undefined) return 'NameTaken'
  const slotAfter = timetable.slotsOf(row)
  const next = row.is_active ? (slotAfter(now) ?? null) : null
  await tx.query('update cron_job set next_run = $2 where id = $1', [row.id, next])
  return { ...row, next_run: next }
}
