// The engine's own jobs: what is only history is kept for `metadata.retention_days`.
import { type Clock, DAY } from '../clock.ts'
import type { Db } from '../db/index.ts'
import type { Executor } from '../jobs/index.ts'
import type { SeedSchedule } from './seed.ts'

const RETENTION_DAYS = 30
const BATCH = 5000

// Each deletes one batch of what ended before $1. A tenant's admin may run these jobs, too: they then delete only what is the
// tenant's own, $2.
const RUNS = `
  delete from job_runs where id in (
    select id from job_runs
    where finished_at < $1 and ($2::uuid is null or tenant_id = $2)
    order by finished_at limit ${BATCH}
  )
  returning 1`

const REQUESTS = `
  delete from api_logs where ctid = any (array(
    select ctid from api_logs
    where created_at < $1 and ($2::uuid is null or tenant_id = $2)
    order by created_at limit ${BATCH}
  ))
  returning 1`

const EVENTS = `
  delete from system_logs where id in (
    select id from system_logs
    where created_at < $1 and $2::uuid is null
    order by created_at limit ${BATCH}
  )
  returning 1`

const INCIDENTS = `
  delete from alert_incidents where id in (
    select id from alert_incidents
    where status = 'resolved' and resolved_at < $1 and $2::uuid is null
    order by resolved_at limit ${BATCH}
  )
  returning 1`

export function housekeeping(
  db: Db,
  clock: Clock,
): {
  executors: ReadonlyMap<string, Executor>
  schedules: readonly SeedSchedule[]
} {
  const metadata = { retention_days: RETENTION_DAYS }
  return {
    executors: new Map([
      ['pruneJobRuns', prune({ runs: RUNS }, db, clock)],
      ['pruneLogs', prune({ requests: REQUESTS, events: EVENTS, incidents: INCIDENTS }, db, clock)],
    ]),
    schedules: [
      { name: 'Prune Job Runs', at: '@daily', run: 'pruneJobRuns', metadata },
      { name: 'Prune Logs', at: '@daily', run: 'pruneLogs', metadata },
    ],
  }
}

/** Deletes by each of the statements, which are named by what they delete. */
function prune(statements: Readonly<Record<string, string>>, db: Db, clock: Clock): Executor {
  return async ({ metadata, tenantId, signal }) => {
    const days = retentionDays(metadata['retention_days'])
    const before = new Date(clock().getTime() - days * DAY)
    const deleted: Record<string, number> = {}
    for (const [name, statement] of Object.entries(statements)) {
      const deleteBatch = (): Promise<unknown[]> => db.query(statement, [before, tenantId])
      deleted[name] = await untilNoneIsLeft(deleteBatch, signal)
    }
    return outcomeOf(deleted, before)
  }
}

async function untilNoneIsLeft(
  deleteBatch: () => Promise<unknown[]>,
  signal: AbortSignal,
): Promise<number> {
  let deleted = 0
  let batch = BATCH
  while (batch === BATCH) {
    signal.throwIfAborted()
    batch = (await deleteBatch()).length
    deleted += batch
  }
  return deleted
}

function outcomeOf(
  deleted: Readonly<Record<string, number>>,
  before: Date,
): Awaited<ReturnType<Executor>> {
  const total = Object.values(deleted).reduce((sum, count) => sum + count, 0)
  const each = Object.entries(deleted).map(([name, count]) => `${count} ${name}`)
  return {
    status: 'success',
    message: `${each.join(', ')} that ended before ${before.toISOString()} were deleted.`,
    processed: total,
    succeeded: total,
    failed: 0,
    details: { deleted },
  }
}

function retentionDays(given: unknown): number {
  if (given === undefined) return RETENTION_DAYS
  if (typeof given === 'number' && given >= 1) return given
  throw new RangeError('metadata.retention_days must be a number of days, 1 or more.')
}
