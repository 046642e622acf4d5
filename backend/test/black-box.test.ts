// What a user, or whoever operates the service, sees of a night and a morning: over HTTP, with a real Redis, and with a clock
// that the test sets.
import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { HOUR } from '../engine/clock.ts'
import { bundleApp, readBundle, type BundleApp } from './bundles.ts'
import { testClock } from './clock.ts'
import { testApp } from './app.ts'
import { testRedis, type TestRedis } from './redis.ts'

const EVENING = '2026-03-09T22:00:00Z'
const MIDNIGHT = '2026-03-10T00:00:00Z'
const MORNING = '2026-03-10T09:00:00Z'
const NEXT_MIDNIGHT = '2026-03-11T00:00:00Z'

const { clock, set: setTime } = testClock(EVENING)
let redis: TestRedis
let client: Redis
let app: BundleApp

beforeAll(async () => {
  redis = await testRedis()
  client = new Redis(redis.url)
  app = await bundleApp({ clock, redisUrl: redis.url })
})
beforeEach(async () => {
  await app.engine.reports.bust('all')
  await app.db.query('delete from job_runs')
  await app.db.query('delete from cron_job')
  setTime(EVENING)
  await app.engine.seed()
})
afterEach(async () => {
  await app.engine.reports.idle()
  await mendTable()
})
afterAll(async () => {
  client.disconnect()
  await app.stop()
  await redis.stop()
})

const warmAt = async (time: string): Promise<void> => {
  setTime(time)
  await app.tick()
}
const entryKeys = async (): Promise<string[]> =>
  (await client.keys('dashboard:bundle:*')).toSorted()
const breakTable = () => app.db.query('alter table crm.leads rename to elsewhere')
const mendTable = () => app.db.query('alter table if exists crm.elsewhere rename to leads')
const [QUERY_ALL, QUERY_REAL] = ['', '&include_test_data=false']

test('what was warmed at midnight is a hit at nine in the morning', async () => {
  await warmAt(MIDNIGHT)
  setTime(MORNING)
  for (const id of [...app.tenantIds, null]) {
    for (const query of [QUERY_ALL, QUERY_REAL]) {
      expect(await app.read(id, { query })).toMatchObject({
        status: 200,
        cache: 'HIT',
        json: { cached: true, data: { meta: { generated_at: '2026-03-10T00:00:00.000Z' } } },
      })
    }
  }
})

test('an entry that is about to expire is renewed and not left to die', async () => {
  const settings = { lifetimeMs: 10 * HOUR }
  const brief = await testApp({
    clock,
    redisUrl: redis.url,
    databaseUrl: app.databaseUrl,
    settings,
  })
  const rollOver = () =>
    brief.engine.cron.execute('rollOverDashboardBundleCache', { triggeredBy: 'a test' })
  setTime(MIDNIGHT)
  await rollOver()
  setTime('2026-03-10T08:30:00Z')
  expect((await rollOver()).result).toMatchObject({ success: true, details: { skipped_fresh: 0 } })
  // None of the first entries lives longer than eleven hours.
  setTime('2026-03-10T11:30:00Z')
  expect(await readBundle(brief, app.tenantIds[0] ?? '')).toMatchObject({ cache: 'HIT' })
  await brief.stop()
})

test('the key that is warmed is the key that is read, with widgets and without', async () => {
  await warmAt(MIDNIGHT)
  const warmed = await entryKeys()
  expect(warmed).toEqual(
    [...app.tenantIds, 'SUPERADMIN_GLOBAL']
      .flatMap((id) => [true, false].map((value) => `dashboard:bundle:${id}:include=${value}`))
      .toSorted(),
  )
  for (const id of [...app.tenantIds, null]) {
    for (const query of ['', '&widgets=salesPipeline', '&widgets=topAccounts,recentActivities']) {
      expect(await app.read(id, { query })).toMatchObject({ cache: 'HIT', json: { cached: true } })
    }
  }
  expect(await entryKeys()).toEqual(warmed)
})

test('warmed bytes are the bytes of a fresh computation', async () => {
  await warmAt(MIDNIGHT)
  for (const id of [...app.tenantIds, null]) {
    for (const query of [QUERY_ALL, QUERY_REAL, '&widgets=leadAgeReport']) {
      const warmed = await app.read(id, { query })
      const computed = await app.read(id, { query: `${query}&bust_cache=true` })
      expect([warmed.cache, computed.cache]).toEqual(['HIT', 'BYPASS'])
      expect(computed.text.replace(',"cached":false}', ',"cached":true}')).toBe(warmed.text)
    }
  }
})

describe('an error', () => {
  test('is never cached: it is a 503 without internals, then a miss, then a hit', async () => {
    const [first = ''] = app.tenantIds
    await breakTable()
    const failed = await app.read(first)
    expect(failed).toMatchObject({ status: 503, json: { code: 'report_failed' } })
    expect(failed.text).not.toMatch(/leads|relation|select|42P01/i)
    expect(await entryKeys()).toEqual([])
    await mendTable()
    expect(await app.read(first)).toMatchObject({ status: 200, cache: 'MISS' })
    expect(await app.read(first)).toMatchObject({ status: 200, cache: 'HIT' })
  })

  test('leaves the good entry in place when it meets a reader or a warming', async () => {
    const [first = ''] = app.tenantIds
    await warmAt(MIDNIGHT)
    const good = await app.read(first)
    await breakTable()
    await warmAt(NEXT_MIDNIGHT)
    const stale = await app.read(first)
    await app.engine.reports.idle()
    expect(stale).toMatchObject({ status: 200, cache: 'STALE', text: good.text })
    expect(await app.read(first, { query: '&bust_cache=true' })).toMatchObject({ cache: 'STALE' })
    await mendTable()
    const runs = await app.db.query('select status from job_runs where slot = $1', [NEXT_MIDNIGHT])
    expect(runs).toContainEqual({ status: 'failed' })
    await app.read(first, { query: '&bust_cache=true' })
    expect(await app.read(first)).toMatchObject({ cache: 'HIT' })
  })
})

test('what a restricted member sees is kept apart from what an admin sees, whoever comes first', async () => {
  const [tenantId = ''] = app.tenantIds
  const subject = randomUUID()
  const member = await app.token({ role: 'member', tenantId, subject })
  const admin = await app.token({ role: 'admin', tenantId, subject: 'boss' })
  const leadsOf = async (token: string): Promise<unknown[]> => {
    const { cache, json } = await app.read(tenantId, { token })
    return [cache, json.data?.meta.scope, json.data?.stats['totalLeads']]
  }
  const [, , all] = await leadsOf(admin)
  const [, , some] = await leadsOf(member)
  expect(Number(some)).toBeLessThan(Number(all))
  await app.engine.reports.bust('all')
  expect(await leadsOf(member)).toEqual(['MISS', 'auto', some])
  expect(await leadsOf(admin)).toEqual(['MISS', 'tenant', all])
  expect(await leadsOf(member)).toEqual(['HIT', 'auto', some])
  expect(await leadsOf(admin)).toEqual(['HIT', 'tenant', all])
  expect(await entryKeys()).toEqual([
    `dashboard:bundle:${tenantId}:include=true`,
    `dashboard:bundle:${tenantId}:include=true:user=${subject}`,
  ])
})

test('clearing the cache looks through no keys and tells the true number', async () => {
  await warmAt(MIDNIGHT)
  const clear = async (body: object): Promise<unknown> =>
    (await app.post('/api/reports/clear-cache', body, await app.token())).json()
  const [first] = app.tenantIds
  await client.config('RESETSTAT')
  expect(await clear({ tenant_id: first })).toMatchObject({ data: { cleared: true, entries: 2 } })
  expect(await clear({})).toMatchObject({ data: { entries: 6 } })
  expect(await clear({})).toMatchObject({ data: { entries: 0 } })
  expect(await client.info('commandstats')).not.toMatch(/cmdstat_(keys|scan)/)
  expect(await entryKeys()).toEqual([])
  expect(await app.read(first ?? '')).toMatchObject({ cache: 'MISS' })
})

test('two instances run the warm job of one midnight once', async () => {
  const other = await testApp({ clock, redisUrl: redis.url, databaseUrl: app.databaseUrl })
  await app.db.query("delete from cron_job where name <> 'Warm Dashboard Bundle Cache'")
  setTime(MIDNIGHT)
  const ticks = Array.from({ length: 20 }, (_tick, i) =>
    (i % 2 === 0 ? app : other).engine.cron.tick(),
  )
  await Promise.all(ticks)
  await Promise.all([app.engine.cron.idle(), other.engine.cron.idle()])
  const runs = await app.db.query('select slot, status, success_count, metadata from job_runs')
  expect(runs).toMatchObject([
    {
      slot: new Date(MIDNIGHT),
      status: 'success',
      success_count: 8,
      metadata: { total_bundles_warmed: 8, total_tenants: 3, statements: 2 },
    },
  ])
  await other.stop()
})
