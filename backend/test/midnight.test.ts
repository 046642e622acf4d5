// Every tenant's day ends at its own midnight.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { testApp } from './app.ts'
import { bundleApp, type BundleApp } from './bundles.ts'
import { testClock } from './clock.ts'
import { probe } from './probe.ts'
import { testRedis, type TestRedis } from './redis.ts'

const NOON = '2026-03-10T12:00:00Z'
const BERLIN_MIDNIGHT = '2026-03-10T23:00:00Z'
const { clock, set: setTime } = testClock(NOON)

let redis: TestRedis
let app: BundleApp
beforeAll(async () => {
  redis = await testRedis()
  app = await bundleApp({ clock, redisUrl: redis.url, timezone: 'Europe/Berlin' })
})
beforeEach(async () => {
  setTime(NOON)
  await app.engine.reports.bust('all')
})
afterAll(async () => {
  await app.stop()
  await redis.stop()
})

const warm = () =>
  app.engine.cron.execute('warmDashboardBundleCache', { triggeredBy: 'an operator' })
const generatedAt = async (tenantId: string): Promise<unknown[]> => {
  const { cache, json } = await app.read(tenantId)
  await app.engine.reports.idle()
  return [cache, json.data?.meta.generated_at]
}

describe('at a tenant’s midnight', () => {
  test('an entry that nothing warms is stale, and renewed behind its first reader', async () => {
    const [id = ''] = app.tenantIds
    await warm()
    setTime('2026-03-10T22:59:59.999Z')
    expect(await generatedAt(id)).toEqual(['HIT', '2026-03-10T12:00:00.000Z'])
    setTime('2026-03-10T23:01:00Z')
    expect(await generatedAt(id)).toEqual(['STALE', '2026-03-10T12:00:00.000Z'])
    expect(await generatedAt(id)).toEqual(['HIT', '2026-03-10T23:01:00.000Z'])
  })

  test('the job in tenant time warms it', async () => {
    await app.tick()
    await warm()
    setTime(BERLIN_MIDNIGHT)
    await app.tick()
    setTime('2026-03-10T23:00:01Z')
    for (const id of app.tenantIds) {
      expect(await generatedAt(id)).toEqual(['HIT', '2026-03-10T23:00:00.000Z'])
    }
  })

  test('it is his dashboard, and that of all together, which changes, and nobody else’s', async () => {
    const [id = '', ...others] = app.tenantIds
    await app.db.query("update tenant set timezone = 'Asia/Kathmandu' where id = $1", [id])
    await app.tick()
    await warm()
    setTime('2026-03-10T18:15:00Z')
    await app.tick()
    expect(await generatedAt(id)).toEqual(['HIT', '2026-03-10T18:15:00.000Z'])
    for (const other of others) {
      expect(await generatedAt(other)).toEqual(['HIT', '2026-03-10T12:00:00.000Z'])
    }
    const [run] = await app.db.query(
      "select metadata from job_runs where slot = '2026-03-10T18:15:00Z'",
    )
    expect(run).toMatchObject({ metadata: { total_bundles_warmed: 4, skipped_fresh: 4 } })
    await app.db.query("update tenant set timezone = 'Europe/Berlin'")
  })
})

test('two instances with two warm jobs at the same midnight compute every bundle once', async () => {
  const { databaseUrl } = app
  const other = await testApp({ clock, databaseUrl, redisUrl: redis.url })
  await app.db.query("update tenant set timezone = 'UTC'")
  await app.tick()
  setTime('2026-03-11T00:00:00Z')
  await Promise.all([app, other, app, other].map(({ engine }) => engine.cron.tick()))
  await Promise.all([app, other].map(({ engine }) => engine.cron.idle()))
  const runs = await app.db.query<{ status: string; warmed: number }>(
    `select status, (metadata ->> 'total_bundles_warmed')::integer as warmed
     from job_runs where slot = '2026-03-11' and function_name like '%DashboardBundle%'`,
  )
  expect(runs.map(({ status }) => status)).toEqual(['success', 'success'])
  expect(runs.reduce((sum, { warmed }) => sum + warmed, 0)).toBe(8)
  await other.stop()
  await app.db.query("update tenant set timezone = 'Europe/Berlin'")
})

test('the schedule is there from the start, and can be looked at', async () => {
  const response = await app.get('/api/cron/jobs', await app.token())
  expect(await response.json()).toMatchObject({
    data: {
      total: 4,
      jobs: [
        { name: 'Prune Job Runs', schedule: '@daily' },
        { name: 'Prune Logs', schedule: '@daily' },
        {
          name: 'Roll Over Dashboard Bundles',
          schedule: 'cron:0 0 * * *',
          function_name: 'rollOverDashboardBundleCache',
          timezone: 'tenant',
        },
        {
          name: 'Warm Dashboard Bundle Cache',
          schedule: 'cron:0 0 * * *',
          function_name: 'warmDashboardBundleCache',
          timezone: 'UTC',
          is_active: true,
          tenant_id: null,
        },
      ],
    },
  })
})

test('a run in which one tenant fails is partial, and names it', async () => {
  const world = await probe()
  const [, bad = ''] = await world.tenants(3)
  await world.make(bad, 'fail')
  const service = await world.app()
  const token = await service.token()
  const body = { function_name: 'warmCounted' }
  const answered = await service.post('/api/cron/execute', body, token)
  expect(answered.status).toBe(200)
  const listed = await service.get('/api/cron/runs?function_name=warm_counted', token)
  expect(await listed.json()).toMatchObject({
    data: {
      total: 1,
      runs: [
        {
          status: 'partial',
          processed_count: 3,
          success_count: 2,
          failure_count: 1,
          metadata: { errors: [{ tenant_id: bad, tenant_name: 'Tenant 2' }] },
        },
      ],
    },
  })
  await world.end()
})
