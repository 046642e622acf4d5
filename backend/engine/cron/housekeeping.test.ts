import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type CronWorld, cronWorld } from '../../test/cron.ts'
import { createExecutors } from '../jobs/index.ts'
import { housekeeping } from './index.ts'

let world: CronWorld
beforeAll(async () => {
  world = await cronWorld()
})
beforeEach(() => world.reset())
afterAll(() => world.end())

const CONTEXT = {
  runId: '',
  slot: null,
  tenantId: null,
  metadata: {},
  signal: new AbortController().signal,
}

const left = async () => {
  const rows = await world.db.query<{ slot: Date }>('select slot from job_runs order by slot')
  return rows.map(({ slot }) => slot.toISOString().slice(0, 10))
}
const context = (metadata: Record<string, unknown>) => ({ ...CONTEXT, metadata })

describe('pruning the history', () => {
  const now = new Date('2026-02-20T00:00:00Z')
  const prune = () =>
    createExecutors(housekeeping(world.db, () => now).executors).get('pruneJobRuns')
  beforeEach(async () => {
    await world.db.query(
      `insert into job_runs (job_name, function_name, kind, slot, status, started_at, finished_at, triggered_by)
       select 'Note', 'note', 'cron', day, 'success', day, day, 'schedule'
       from generate_series(timestamptz '2026-01-10', '2026-02-19', '10 days') day`,
    )
    await world.db.query(
      `insert into job_runs (job_name, function_name, kind, slot, status, started_at, lease_until, triggered_by)
       values ('Note', 'note', 'cron', '2025-01-01', 'running', '2025-01-01', '2025-01-02', 'schedule')`,
    )
  })

  test('deletes what ended before the retention, and never what is running', async () => {
    const outcome = await prune().execute(context({ retention_days: 15 }))
    expect(outcome).toMatchObject({ status: 'success', processed: 3 })
    expect(await left()).toEqual(['2025-01-01', '2026-02-09', '2026-02-19'])
  })

  test('keeps thirty days unless told otherwise', async () => {
    await prune().execute(context({}))
    expect(await left()).toEqual(['2025-01-01', '2026-01-30', '2026-02-09', '2026-02-19'])
  })

  test.each([0, -1, '30', null])('fails for the retention %o and deletes nothing', async (days) => {
    await expect(prune().execute(context({ retention_days: days }))).rejects.toThrow(
      'metadata.retention_days must be a number of days, 1 or more.',
    )
    expect(await left()).toHaveLength(6)
  })

  test('is seeded to run every day', async () => {
    const { executors, schedules } = housekeeping(world.db, () => now)
    const { cron } = world.instance({ executors: Object.fromEntries(executors) })
    expect(await cron.seedSchedules(schedules)).toEqual(['Prune Job Runs'])
    expect(await cron.jobs.list({})).toMatchObject([
      { schedule: '@daily', metadata: { retention_days: 30 } },
    ])
  })
})
