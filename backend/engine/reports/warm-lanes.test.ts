// Warming whose batches are done by every instance that works on the lanes.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { TestApp } from '../../test/app.ts'
import { eventually } from '../../test/eventually.ts'
import { probe, readProbe, type Probe } from '../../test/probe.ts'
import { testRedis, type TestRedis } from '../../test/redis.ts'

let world: Probe
let redis: TestRedis
let one: TestApp
let other: TestApp

const instance = async (): Promise<TestApp> => {
  const settings = { batchTenants: 2, laneConcurrency: 2 }
  const app = await world.app({ redisUrl: redis.url, settings })
  await app.engine.start()
  return app
}
const warm = (app: TestApp) => app.engine.cron.execute('warmCounted', { triggeredBy: 'a test' })
const batches = async () => (await other.engine.lanes.counts()).normal

beforeAll(async () => {
  ;[world, redis] = await Promise.all([probe(), testRedis()])
  one = await instance()
  other = await instance()
})
afterEach(() => world.reset())
afterAll(async () => {
  await world.end()
  await redis.stop()
})

describe('a run of a warm job', () => {
  test('is done in batches on the lanes, and counts what all of them did', async () => {
    const ids = await world.tenants(9)
    const before = await batches()
    const { result } = await warm(one)
    expect(result).toMatchObject({ status: 'success', processed: 9, succeeded: 9, failed: 0 })
    expect(result.details).toMatchObject({ total_bundles_warmed: 9, statements: 5 })
    expect((await batches()).completed - before.completed).toBe(5)
    expect(await world.computations()).toBe(9)
    expect((await readProbe(other, ids[8] ?? '')).cache).toBe('HIT')
  })

  test('is shared by the instances', async () => {
    await world.tenants(20)
    const gate = await world.closeGate()
    const run = warm(one)
    // Each does two at a time.
    await eventually(async () => expect((await batches()).active).toBe(4))
    await gate.open()
    expect((await run).result).toMatchObject({ status: 'success', processed: 20 })
  })

  test('names the tenants that failed, whoever computed them', async () => {
    const ids = await world.tenants(6)
    await world.make(ids[3] ?? '', 'fail')
    const { result } = await warm(one)
    expect(result).toMatchObject({ status: 'partial', processed: 6, succeeded: 5, failed: 1 })
    expect(result.details).toMatchObject({
      errors: [{ tenant_id: ids[3], tenant_name: 'Tenant 4', error: 'division by zero' }],
    })
  })

  test('of a single batch makes no detour', async () => {
    await world.tenants(2)
    const before = await batches()
    expect((await warm(one)).result).toMatchObject({ status: 'success', processed: 2 })
    expect((await batches()).completed).toBe(before.completed)
  })

  test('leaves no batches behind when its instance stops', async () => {
    await world.tenants(20)
    const gate = await world.closeGate()
    const leaving = await instance()
    const giveUp = new AbortController()
    const [report] = leaving.engine.reports.catalog.all
    if (!report) throw new Error('The probe has a report.')
    const { lanes } = leaving.engine
    const run = leaving.engine.reports.warm(report, { lanes, signal: giveUp.signal })
    await eventually(async () => expect((await batches()).active).toBe(6))
    giveUp.abort(new Error('stopped'))
    await expect(run).rejects.toThrow('stopped')
    expect((await batches()).waiting).toBe(0)
    await gate.open()
    await eventually(async () => expect((await batches()).active).toBe(0))
    expect(await lanes.deadLetters()).toEqual([])
  })
})
