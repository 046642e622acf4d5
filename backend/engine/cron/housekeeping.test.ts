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
    expect(await cron.seedSchedules(schedules)).toEqual(['Prune Job Runs', 'Prune Logs'])
    const daily = { schedule: '@daily', metadata: { retention_days: 30 } }
    expect(await cron.jobs.list({})).toMatchObject([daily, daily])
  })
})

const counts = async () => {
  const [row] = await world.db.query(
    `select (select count(*)::integer from api_logs) as requests,
            (select count(*)::integer from system_logs) as events,
            (select count(*)::integer from alert_incidents where status = 'open') as open,
            (select count(*)::integer from alert_incidents where status = 'resolved') as resolved`,
  )
  return row
}

describe('pruning the logs', () => {
  const now = new Date('2026-02-20T00:00:00Z')
  const TENANT = '00000000-0000-4000-8000-000000000001'
  const prune = () => createExecutors(housekeeping(world.db, () => now).executors).get('pruneLogs')
  const days = "generate_series(timestamptz '2026-01-10', '2026-02-19', '10 days') day"
  beforeEach(async () => {
    await world.db.query('truncate api_logs, system_logs, alert_incidents cascade')
    await world.db.query(
      `insert into api_logs (endpoint, method, status, response_time_ms, tenant_id, created_at)
       select '/api/reports', 'GET', 200, 1, tenant, day from ${days}, unnest(array[null, $1::uuid]) tenant`,
      [TENANT],
    )
    await world.db.query(
      `insert into system_logs (operation, created_at) select 'work', day from ${days}`,
    )
    await world.db.query(
      `insert into alert_incidents (kind, subject, severity, message, occurrences, status, cause_at,
                                    opened_at, last_seen_at, resolved_at)
       select 'view_late', day, 'warning', '', 1, status, day, day, day, case status when 'resolved' then day end
       from ${days}, unnest(array['resolved', 'open']) status`,
    )
  })
  test('deletes what is older than the retention, and no incident that is not resolved', async () => {
    const outcome = await prune().execute(context({ retention_days: 15 }))
    expect(outcome).toMatchObject({
      status: 'success',
      processed: 12,
      details: { deleted: { requests: 6, events: 3, incidents: 3 } },
    })
    expect(await counts()).toEqual({ requests: 4, events: 2, open: 5, resolved: 2 })
  })

  test('run by a tenant deletes only requests of that tenant', async () => {
    await prune().execute({ ...context({ retention_days: 1 }), tenantId: TENANT })
    expect(await counts()).toEqual({ requests: 6, events: 5, open: 5, resolved: 5 })
  })

  test('deletes more than fits into one batch', async () => {
    await world.db.query(
      `insert into system_logs (operation, created_at)
       select 'work', '2026-01-01' from generate_series(1, 12000)`,
    )
    const outcome = await prune().execute(context({}))
    expect(outcome).toMatchObject({ details: { deleted: { events: 12_002 } } })
  })
})
