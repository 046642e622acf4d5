import { type Clock, DAY } from '../clock.ts'
import type { Db } from '../db/index.ts'
import type { Executor } from '../jobs/index.ts'
import type { SeedSchedule } from './seed.ts'

const RETENTION_DAYS = 30
const BATCH = 5000

/** The engine's own job: the history of runs is kept for `metadata.retention_days`. */
export function housekeeping(
  db: Db,
  clock: Clock,
): {
  executors: ReadonlyMap<string, Executor>
  schedules: readonly SeedSchedule[]
} {
  return {
    executors: new Map([['pruneJobRuns', pruneJobRuns(db, clock)]]),
    schedules: [
      {
        name: 'Prune Job Runs',
        at: '@daily',
        run: 'pruneJobRuns',
        metadata: { retention_days: RETENTION_DAYS },
      },
    ],
  }
}

function pruneJobRuns(db: Db, clock: Clock): Executor {
  return async ({ metadata, tenantId, signal }) => {
    const days = retentionDays(metadata['retention_days'])
    const before = new Date(clock().getTime() - days * DAY)
    let deleted = 0
    let batch = BATCH
    while (batch === BATCH) {
      signal.throwIfAborted()
      batch = await deleteBatch(db, before, tenantId)
      deleted += batch
    }
    const message = `${deleted} runs that ended before ${before.toISOString()} were deleted.`
    return {
      status: 'success',
      message,
      processed: deleted,
      succeeded: deleted,
      failed: 0,
      details: {},
    }
  }
}

function retentionDays(given: unknown): number {
  if (given === undefined) return RETENTION_DAYS
  if (typeof given === 'number' && given >= 1) return given
  throw new RangeError('metadata.retention_days must be a number of days, 1 or more.')
}

// A tenant's admin may run this too: it then deletes the runs of that tenant.
async function deleteBatch(db: Db, before: Date, tenantId: string | null): Promise<number> {
  const rows = await db.query(
    `delete from job_runs where id in (
       select id from job_runs
       where finished_at < $1 and ($2::uuid is null or tenant_id = $2)
       order by finished_at limit ${BATCH}
     )
     returning id`,
    [before, tenantId],
  )
  return rows.length
}
