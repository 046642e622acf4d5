// A run succeeds only if every entry is there when it is over.
import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { probe, type Probe } from '../../test/probe.ts'
import { testRedis } from '../../test/redis.ts'
import { onlyReport, reportsOver } from '../../test/reports.ts'
import { createMemoryStore, type EntryId, type Store } from '../cache/index.ts'
import { HOUR, systemClock } from '../clock.ts'
import type { Reports, ReportSettings, WarmOptions, WarmSummary } from './index.ts'
import { entryIdOf, wholeTenant } from './request.ts'
import { eventually } from '../../test/eventually.ts'

const TENANTS = 6

let world: Probe
let store: Store
let ids: string[]

beforeAll(async () => {
  world = await probe()
})
beforeEach(async () => {
  await world.reset()
  ids = await world.tenants(TENANTS)
  store = createMemoryStore({ maxBytes: 1_000_000, clock: systemClock })
})
afterAll(() => world.end())

const instance = (
  changed: Partial<Store> = {},
  settings: Partial<ReportSettings> = {},
): Promise<Reports> =>
  reportsOver({
    db: world.db,
    domains: [world.domain],
    store: { ...store, ...changed },
    clock: systemClock,
    settings: { batchTenants: 2, ...settings },
  })
const warm = (reports: Reports, options: WarmOptions = {}): Promise<WarmSummary> =>
  reports.warm(onlyReport(reports), options)
const entryId = (reports: Reports, tenantId: string): EntryId =>
  entryIdOf({ report: onlyReport(reports), scope: wholeTenant(tenantId), variant: null })

describe('what is lost while a warming goes on', () => {
  test('because somebody clears the cache is computed once more', async () => {
    const reports = await instance()
    let batches = 0
    const onProgress = (): void => {
      batches += 1
      if (batches === 2) void store.bust('all')
    }
    expect(await warm(reports, { onProgress })).toMatchObject({
      warmed: TENANTS,
      failures: [],
      statements: 3 + 2,
    })
    expect((await reports.plan(onlyReport(reports), {})).due).toEqual([])
  })

  test('and lost again is named, and makes the run partial', async () => {
    const [lost = ''] = ids
    const write: Store['write'] = async (writes) => {
      const kept = writes.filter(({ claim }) => claim.id.tenant !== lost)
      await store.write(kept)
      return writes.map(() => 'written')
    }
    const summary = await warm(await instance({ write }, { leaseMs: 30 }))
    expect(summary).toMatchObject({ warmed: TENANTS - 1, failedEntries: 1 })
    expect(summary.failures).toEqual([
      {
        tenant_id: lost,
        tenant_name: 'Tenant 1',
        error: `The entry probe:counted:${lost} is not in the cache, or old, although it was computed.`,
      },
    ])
  })

  test('because Redis is too small is named, and the run does not succeed', async () => {
    const redis = await testRedis()
    const client = new Redis(redis.url)
    await client.config('SET', 'maxmemory-policy', 'allkeys-lru')
    const used = Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1])
    await client.config('SET', 'maxmemory', used + 1_000_000)
    const big = await probe({ sql: BIG })
    await big.tenants(100)
    const app = await big.app({ redisUrl: redis.url, settings: { batchTenants: 10 } })
    const { result } = await app.engine.cron.execute('warmCounted', { triggeredBy: 'a test' })
    expect(result.status).not.toBe('success')
    expect(result.failed).toBeGreaterThan(20)
    expect(result.succeeded + result.failed).toBe(100)
    expect(result.details['errors']).toHaveLength(result.failed)
    const kept = await client.keys('probe:counted:*')
    expect(kept.length).toBeGreaterThanOrEqual(result.succeeded)
    client.disconnect()
    await big.end()
    await redis.stop()
  })
})

const BIG = `
  select id as tenant_id, json_build_object('padding', repeat('x', 30000)) as data
  from unnest(:'tenant_ids'::uuid[]) asked (id)`

describe('an entry that another process is computing', () => {
  test('is waited for and not computed twice', async () => {
    const [theirs = ''] = ids
    const [mine, other] = await Promise.all([instance({}, { batchTenants: 6 }), instance()])
    const gate = await world.closeGate()
    const request = { report: onlyReport(other), scope: wholeTenant(theirs), variant: null }
    const read = other.read(request, { bust: false })
    await eventually(async () => expect(await world.computations()).toBe(1))
    const warming = warm(mine)
    await eventually(async () => expect(await world.computations()).toBe(2))
    await gate.open()
    await read
    expect(await warming).toMatchObject({ warmed: TENANTS - 1, skippedFresh: 1, failures: [] })
    expect(await world.computations()).toBe(TENANTS)
  })

  test('is computed after all when that process is dead', async () => {
    const reports = await instance()
    await store.claim([entryId(reports, ids[0] ?? '')], 200)
    expect(await warm(reports)).toMatchObject({ warmed: TENANTS, failures: [] })
  })

  test('and which is not there when patience ends is named', async () => {
    const reports = await instance({}, { patienceMs: 50 })
    const [held = ''] = ids
    await store.claim([entryId(reports, held)], HOUR)
    const summary = await warm(reports)
    expect(summary).toMatchObject({ warmed: TENANTS - 1, failures: [{ tenant_id: held }] })
  })

  test('is not taken for renewed because an old one is still there', async () => {
    const reports = await instance({}, { patienceMs: 50 })
    const [held = ''] = ids
    await warm(reports)
    await store.claim([entryId(reports, held)], HOUR)
    const summary = await warm(reports, { renewOlderThan: new Date(Date.now() + 1) })
    expect(summary).toMatchObject({ warmed: TENANTS - 1, failures: [{ tenant_id: held }] })
  })
})
