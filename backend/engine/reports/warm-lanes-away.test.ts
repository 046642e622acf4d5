// What becomes of a warming on the lanes when they do nothing of it.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { gate } from '../../test/gate.ts'
import { laneWorld, type LaneWorld } from '../../test/lanes.ts'
import { testLog } from '../../test/log.ts'
import { probe, type Probe } from '../../test/probe.ts'
import { testRedis, type TestRedis } from '../../test/redis.ts'
import { onlyReport, reportsOver } from '../../test/reports.ts'
import { createRedisStore, type Store } from '../cache/index.ts'
import { HOUR, systemClock } from '../clock.ts'
import type { Lanes } from '../lanes/index.ts'
import type { Reports, WarmProgress, WarmSummary } from './index.ts'

const TENANTS = 6

let world: Probe
let queue: LaneWorld
let redis: TestRedis
let store: Store
let reports: Reports

beforeAll(async () => {
  ;[world, queue, redis] = await Promise.all([probe(), laneWorld('redis'), testRedis()])
  store = await createRedisStore({
    url: redis.url,
    commandTimeoutMs: 5000,
    maxLifetimeMs: 36 * HOUR,
    log: testLog().log,
  })
})
beforeEach(async () => {
  await world.reset()
  await world.tenants(TENANTS)
  reports = await instance()
})
afterEach(async () => {
  await queue.proxy.heal()
  await queue.clear()
})
afterAll(async () => {
  await store.stop()
  await Promise.all([world.end(), queue.end(), redis.stop()])
})

const instance = (): Promise<Reports> =>
  reportsOver({
    db: world.db,
    domains: [world.domain],
    store,
    clock: systemClock,
    settings: { batchTenants: 2, patienceMs: 200 },
  })
const warm = async (
  lanes: Lanes,
  onProgress?: (progress: WarmProgress) => void,
): Promise<WarmSummary> => reports.warm(onlyReport(reports), { lanes, onProgress })

describe('a warming is done where it was asked for', () => {
  test('when nobody works on the lanes', async () => {
    expect(await warm(queue.lanes())).toMatchObject({ warmed: TENANTS, failures: [] })
    expect(await world.computations()).toBe(TENANTS)
  })

  test('when the queue cannot be reached', async () => {
    const lanes = queue.lanes()
    await lanes.counts()
    await queue.proxy.cut()
    expect(await warm(lanes)).toMatchObject({ warmed: TENANTS, failures: [] })
  })

  test('as far as it is left when somebody works on it and ends nothing any more, and all of it is counted', async () => {
    const worker = queue.lanes({ concurrency: 1 })
    const hangs = gate()
    const others = await instance()
    const handle: Lanes['handle'] = (kind, handler) =>
      worker.handle(kind, async (data, context) => {
        if ((await world.computations()) > 0) await hangs.pass()
        return handler(data, context)
      })
    others.workOn({ ...worker, handle })
    await worker.start()
    const done: number[] = []
    const summary = await warm(queue.lanes(), (progress) => done.push(progress.done))
    expect(summary).toMatchObject({ warmed: TENANTS, failures: [], statements: 3 })
    expect(done).toEqual([2, 4, 6])
    expect(await world.computations()).toBe(TENANTS)
    hangs.open()
  })
})
