// Whatever becomes of Redis, every read is answered.
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { TestApp } from '../../test/app.ts'
import { faultProxy, type FaultProxy } from '../../test/fault-proxy.ts'
import { probe, readProbe, type Probe, type ProbeAnswer } from '../../test/probe.ts'
import { testRedis, type TestRedis } from '../../test/redis.ts'
import { eventually } from '../../test/eventually.ts'

const TIMEOUT_MS = 400

let world: Probe
let redis: TestRedis
let proxy: FaultProxy
let app: TestApp
let id: string

beforeAll(async () => {
  ;[world, redis] = await Promise.all([probe(), testRedis()])
  proxy = await faultProxy({ host: '127.0.0.1', port: redis.port })
  app = await world.app({ redisUrl: proxy.through(redis.url), redisTimeoutMs: TIMEOUT_MS })
})
beforeEach(async () => {
  ;[id = ''] = await world.tenants(1)
})
afterEach(() => works())
afterAll(async () => {
  await world.end()
  await proxy.stop()
  await redis.stop()
})

const read = () => readProbe(app, id)
const clearCache = async () =>
  app.post('/api/reports/clear-cache', { tenant_id: id }, await app.token())

/** Resolves when entries are kept again, which nobody has to help with. */
const works = () =>
  vi.waitFor(async () => expect((await read()).cache).toBe('HIT'), {
    timeout: 8000,
    interval: 50,
  })

/** How many computations it takes to answer so many reads of the same at once. */
async function computationsOfReads(count: number): Promise<number> {
  const before = await world.computations()
  const gate = await world.closeGate()
  const answers = Promise.all(Array.from({ length: count }, read))
  await eventually(async () => expect(await world.computations()).toBe(before + 1))
  // Nothing outside tells when the last of the reads has given Redis up and joined.
  await sleep(2 * TIMEOUT_MS)
  await gate.open()
  for (const { status } of await answers) expect(status).toBe(200)
  return (await world.computations()) - before
}

async function timed(work: () => Promise<ProbeAnswer>): Promise<ProbeAnswer & { ms: number }> {
  const start = performance.now()
  const answer = await work()
  return { ...answer, ms: performance.now() - start }
}

const faults = [
  ['is cut off', () => proxy.cut(), () => proxy.heal()],
  ['hangs', async () => redis.pause(), async () => redis.resume()],
  ['swallows everything', async () => proxy.drop(), () => proxy.heal()],
  ['is too slow', async () => proxy.delay(2 * TIMEOUT_MS), () => proxy.heal()],
  ['is killed', () => redis.kill(), () => redis.start()],
] as const

describe.each(faults)('while Redis %s', (_what, breakIt, mendIt) => {
  afterEach(() => mendIt())

  test('reads come from the database, soon without asking Redis, and from Redis again later', async () => {
    await works()
    const { computation } = await read()
    await breakIt()
    const slow = [await timed(read), await timed(read)]
    expect(await computationsOfReads(20)).toBe(1)
    const quick = await timed(read)
    for (const answer of [...slow, quick]) {
      expect(answer).toMatchObject({ status: 200, cache: 'MISS', word: 'hello' })
      expect(answer.computation).toBeGreaterThan(computation)
    }
    // Looking for the entry and claiming it may each take the timeout; then nobody asks any more for a while.
    for (const { ms } of slow) expect(ms).toBeLessThan(3 * TIMEOUT_MS + 2000)
    expect(quick.ms).toBeLessThan(TIMEOUT_MS)
    await mendIt()
    await works()
  })
})

describe('clearing the cache', () => {
  test('while Redis cannot be reached is an error, and no false success', async () => {
    await works()
    await proxy.cut()
    const response = await clearCache()
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({ status: 'error', code: 'unavailable' })
    await proxy.heal()
    await works()
    await eventually(async () => expect((await clearCache()).status).toBe(200))
  })
})

describe('a Redis that lost everything', () => {
  test('is filled again, and what it held before is not taken for current', async () => {
    await works()
    const before = await read()
    await redis.kill()
    await redis.start()
    await works()
    expect((await read()).computation).toBeGreaterThan(before.computation)
  })

  test('and its scripts, in between two reads, costs a computation and nothing else', async () => {
    await works()
    const client = new Redis(redis.url)
    await client.flushall()
    await client.script('FLUSH')
    client.disconnect()
    expect(await read()).toMatchObject({ status: 200, cache: 'MISS' })
    expect(await read()).toMatchObject({ status: 200, cache: 'HIT' })
  })
})

test('a reader who lost Redis in the middle has his answer, and the next one does not wait long', async () => {
  await works()
  await clearCache()
  const before = await world.computations()
  const gate = await world.closeGate()
  const first = read()
  await eventually(async () => expect(await world.computations()).toBe(before + 1))
  await proxy.cut()
  await gate.open()
  expect(await first).toMatchObject({ status: 200, cache: 'MISS' })
  await proxy.heal()
  await vi.waitFor(async () => expect((await app.engine.health()).status).toBe('ok'), 5000)
  const next = await timed(read)
  expect(next).toMatchObject({ status: 200, word: 'hello' })
  expect(next.ms).toBeLessThan(4000)
})
