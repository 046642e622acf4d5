// What becomes of a warming on the lanes when they do nothing of it.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../../test/eventually.ts'
import { gate } from '../../test/gate.ts'
import { laneWorld, type LaneWorld } from '../../test/lanes.ts'
import { testLog, type LogEntry } from '../../test/log.ts'
import { probe, type Probe } from '../../test/probe.ts'
import { testRedis, type TestRedis } from '../../test/redis.ts'
import { onlyReport, reportsOver } from '../../test/reports.ts'
import { createRedisStore, type Store } from '../cache/index.ts'
import { HOUR, systemClock } from '../clock.ts'
import type { Lanes } from '../lanes/index.ts'
import type { Log } from '../log.ts'
import type { Reports, WarmProgress, WarmSummary } from './index.ts'

const TENANTS = 6
const PATIENCE_MS = 600

let world: Probe
let queue: LaneWorld
let redis: TestRedis
let store: Store
let reports: Reports
let log: LogEntry[]

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
  const own = testLog()
  log = own.entries
  reports = await instance({ log: own.log })
})
afterEach(async () => {
  await queue.proxy.heal()
  await queue.clear()
})
afterAll(async () => {
  await store.stop()
  await Promise.all([world.end(), queue.end(), redis.stop()])
})

const lanesOf = (concurrency = 4): Lanes =>
  queue.lanes({ concurrency, timing: { idleMs: PATIENCE_MS } })
const instance = (parts: { log?: Log } = {}): Promise<Reports> =>
  reportsOver({
    db: world.db,
    domains: [world.domain],
    store,
    clock: systemClock,
    ...parts,
    // Of batches of two the patience is twice as long.
    settings: { batchTenants: 2, patienceMs: PATIENCE_MS / 2 },
  })
const warm = async (
  lanes: Lanes,
  onProgress?: (progress: WarmProgress) => void,
): Promise<WarmSummary> => reports.warm(onlyReport(reports), { lanes, onProgress })

describe('a warming is done where it was asked for', () => {
  test('when nobody works on the lanes, and nothing is left there', async () => {
    const lanes = lanesOf()
    expect(await warm(lanes)).toMatchObject({ warmed: TENANTS, failures: [] })
    expect(await world.computations()).toBe(TENANTS)
    expect((await lanes.counts()).normal).toMatchObject({ waiting: 0, active: 0, failed: 0 })
  })

  test('when the queue cannot be reached', async () => {
    const lanes = lanesOf()
    await lanes.counts()
    await queue.proxy.cut()
    expect(await warm(lanes)).toMatchObject({ warmed: TENANTS, failures: [] })
  })

  test('when the queue says nothing any more', async () => {
    const lanes = lanesOf()
    await lanes.counts()
    queue.proxy.drop()
    expect(await warm(lanes)).toMatchObject({ warmed: TENANTS, failures: [] })
  })

  test('when the queue comes back without its jobs', async () => {
    const lanes = lanesOf()
    const warming = warm(lanes)
    await eventually(async () => expect((await lanes.counts()).normal.waiting).toBe(3))
    await queue.empty()
    expect(await warming).toMatchObject({ warmed: TENANTS, failures: [] })
  })

  test('at once when there is next to nothing to do', async () => {
    await warm(lanesOf())
    await world.tenants(1)
    const lanes = lanesOf()
    expect(await warm(lanes)).toMatchObject({ warmed: 1, skippedFresh: TENANTS, statements: 1 })
    expect((await lanes.counts()).normal).toMatchObject({ waiting: 0 })
    expect(log.map(({ message }) => message)).toEqual([
      'What the lanes did not come to is warmed here.',
    ])
  })

  test('as far as it is left when somebody works on it and ends nothing any more, and all of it is counted', async () => {
    const worker = lanesOf(1)
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
    const summary = await warm(lanesOf(), (progress) => done.push(progress.done))
    expect(summary).toMatchObject({ warmed: TENANTS, failures: [], statements: 3 })
    expect(done).toEqual([2, 4, 6])
    expect(await world.computations()).toBe(TENANTS)
    hangs.open()
  })
})

describe('a warming is left to the lanes', () => {
  test('while they work on what was there before', async () => {
    const worker = lanesOf(1)
    const others = await instance()
    others.workOn(worker)
    worker.handle('other work', () => sleep(PATIENCE_MS / 2))
    for (let i = 0; i < 6; i += 1) await worker.add('other work', i, { lane: 'high' })
    const asker = lanesOf()
    const warming = warm(asker)
    await eventually(async () => expect((await asker.counts()).normal.waiting).toBe(3))
    await worker.start()
    expect(await warming).toMatchObject({ warmed: TENANTS, statements: 3 })
    expect((await asker.counts()).normal).toMatchObject({ completed: 3 })
  })

  test('and ends when they are stopped', async () => {
    const lanes = lanesOf()
    const warming = warm(lanes)
    await eventually(async () => expect((await lanes.counts()).normal.waiting).toBe(3))
    await lanes.stop()
    await expect(warming).rejects.toThrow('it is stopped')
    expect(await world.computations()).toBe(0)
  })
})
