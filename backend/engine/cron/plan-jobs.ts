import { PrewarmError } from '../errors.ts'
import type { SlotAfter } from './due.ts'
import { jobsToPlan, type JobRow } from './job-row.ts'
import type { Parts } from './parts.ts'

/** Plans jobs without a plan from now on, and those in tenant time anew, because tenants come and go. */
export async function planJobs(parts: Parts): Promise<void> {
  const now = parts.ledger.clock()
  for (const job of await jobsToPlan(parts.ledger.db, now)) {
    const slotAfter = await slotsOrPause(parts, job)
    const next = slotAfter?.(now)
    if (slotAfter !== undefined && next?.getTime() !== job.next_run?.getTime()) {
      await plan(parts, job, next)
    }
  }
}

/** When the job is due. A row that was edited by hand and is wrong is paused, and undefined comes back. */
export async function slotsOrPause(parts: Parts, job: JobRow): Promise<SlotAfter | undefined> {
  try {
    return parts.timetable.slotsOf(job)
  } catch (error) {
    if (!(error instanceof PrewarmError)) throw error
    await pause(parts, job, error.message)
    return undefined
  }
}

async function plan({ ledger }: Parts, job: JobRow, next: Date | undefined): Promise<void> {
  await ledger.db.query(
    `update cron_job set next_run = $5
     where id = $1 and schedule = $2 and timezone = $3
       and date_trunc('milliseconds', next_run) is not distinct from $4`,
    [job.id, job.schedule, job.timezone, job.next_run, next ?? null],
  )
}

async function pause({ ledger, log }: Parts, job: JobRow, reason: string): Promise<void> {
  const paused = await ledger.db.query(
    `update cron_job set is_active = false, paused_reason = $4, updated_at = $5
     where id = $1 and is_active and schedule = $2 and timezone = $3
     returning id`,
    [job.id, job.schedule, job.timezone, reason, ledger.clock()],
  )
  if (paused.length === 1)
    log.error('A cron job is wrong and was paused.', { job: job.name, reason })
}
