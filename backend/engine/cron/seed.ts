import type { Schedule } from '../domain.ts'
import { messageOf, PrewarmError } from '../errors.ts'
import { newCronJob } from './cron-job-input.ts'
import { insertJob } from './insert-job.ts'
import type { Parts } from './parts.ts'

/** A schedule of a domain, with the metadata that its executor is given. */
export type SeedSchedule = Schedule & { metadata?: Readonly<Record<string, unknown>> }

/**
 * Makes the cron jobs that do not exist yet, and returns their names. A job of the same name is left as
 * it is, whatever was changed in it. A wrong schedule stops the start.
 */
export async function seedSchedules(
  parts: Pick<Parts, 'ledger' | 'executors' | 'timetable'>,
  schedules: readonly SeedSchedule[],
): Promise<string[]> {
  const inserted: string[] = []
  for (const schedule of schedules) {
    if (await seed(parts, schedule)) inserted.push(schedule.name)
  }
  return inserted
}

async function seed(
  { ledger, executors, timetable }: Pick<Parts, 'ledger' | 'executors' | 'timetable'>,
  { name, at, run, isActive, ...options }: SeedSchedule,
): Promise<boolean> {
  try {
    executors.get(run)
    const given = { name, schedule: at, function_name: run, is_active: isActive, ...options }
    const job = newCronJob.parse(given)
    const row = await ledger.db.transaction((tx) => insertJob(tx, job, timetable, ledger.clock()))
    return row !== 'NameTaken'
  } catch (error) {
    if (!(error instanceof PrewarmError)) throw error
    const message = `The schedule "${name}" is wrong: ${messageOf(error)}`
    throw new PrewarmError('bad_configuration', message, { cause: error })
  }
}
