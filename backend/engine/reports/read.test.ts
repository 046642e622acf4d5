import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { TestApp } from '../../test/app.ts'
import { testClock } from '../../test/clock.ts'
import { probe, readProbe, type Probe } from '../../test/probe.ts'
import { testRedis, type TestRedis } from '../../test/redis.ts'
import { eventually } from '../../test/eventually.ts'

const NOON = '2026-03-10T12:00:00Z'
const NEXT_DAY = '2026-03-11T00:00:00Z'

let world: Probe
let redis: TestRedis
const { clock, set: setTime } = testClock(NOON)

beforeAll(async () => {
  ;[world, redis] = await Promise.all([probe(), testRedis()])
})
afterEach(() => setTime(NOON))
afterAll(async () => {
  await world.end()
  await redis.stop()
})

const tenant = async (): Promise<string> => {
  const [id = ''] = await world.tenants(1)
  return id
}
const computationsOf = async (work: () => Promise<unknown>): Promise<number> => {
  const before = await world.computations()
  await work()
  return (await world.computations()) - before
}

describe.each(['redis', 'memory'])('a read, with the entries in %s', (kind) => {
  let app: TestApp
  beforeAll(async () => {
    app = await world.app({ clock, ...(kind === 'redis' ? { redisUrl: redis.url } : {}) })
  })
  const read = (id: string, query = '') => readProbe(app, id, query)

  test('computes what is missing, once, and finds it the next time', async () => {
    const id = await tenant()
    const first = await read(id)
    expect(first).toMatchObject({ status: 200, cache: 'MISS', word: 'hello' })
    await world.say(id, 'unseen')
    expect(await read(id)).toMatchObject({ cache: 'HIT', computation: first.computation })
  })

  test('is fresh until the instant before the horizon, and stale from it on', async () => {
    const id = await tenant()
    await read(id)
    setTime('2026-03-10T23:59:59.999Z')
    expect((await read(id)).cache).toBe('HIT')
    setTime(NEXT_DAY)
    expect((await read(id)).cache).toBe('STALE')
    await app.engine.reports.idle()
  })

  test('of a stale entry is answered at once, and one recomputation happens behind it', async () => {
    const id = await tenant()
    const old = await read(id)
    setTime(NEXT_DAY)
    const gate = await world.closeGate()
    const answers = await Promise.all(Array.from({ length: 10 }, () => read(id)))
    expect(new Set(answers.map(({ cache, word }) => `${cache} ${word}`))).toEqual(
      new Set(['STALE hello']),
    )
    await gate.open()
    await app.engine.reports.idle()
    expect(await read(id)).toMatchObject({ cache: 'HIT', computation: old.computation + 1 })
  })

  test('of a stale entry that cannot be renewed is answered with it again and again', async () => {
    const id = await tenant()
    await read(id)
    setTime(NEXT_DAY)
    await world.make(id, 'fail')
    for (let i = 0; i < 3; i += 1) {
      expect(await read(id)).toMatchObject({ status: 200, cache: 'STALE', word: 'hello' })
      await app.engine.reports.idle()
    }
    await world.make(id, 'answer')
    await read(id)
    await app.engine.reports.idle()
    expect((await read(id)).cache).toBe('HIT')
  })

  test('after the end of the hard lifetime is a miss', async () => {
    const id = await tenant()
    await read(id)
    setTime('2026-03-12T04:00:00Z')
    expect((await read(id)).cache).toBe('MISS')
  })

  test('of many that miss at once is computed once', async () => {
    const id = await tenant()
    const gate = await world.closeGate()
    const computed = await computationsOf(async () => {
      const before = await world.computations()
      const answers = Promise.all(Array.from({ length: 20 }, () => read(id)))
      await eventually(async () => expect(await world.computations()).toBe(before + 1))
      await gate.open()
      expect(new Set((await answers).map(({ computation }) => computation)).size).toBe(1)
    })
    expect(computed).toBe(1)
  })

  test('that fails fails for all who wait for it, is not kept, and is tried again', async () => {
    const id = await tenant()
    await world.make(id, 'fail')
    const answers = await Promise.all(Array.from({ length: 5 }, () => read(id)))
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503, 503, 503])
    expect(answers[0]?.body).toContain('"code":"report_failed"')
    expect(answers[0]?.body).not.toMatch(/division|visit|select/i)
    await world.make(id, 'answer')
    expect(await read(id)).toMatchObject({ status: 200, cache: 'MISS' })
  })
})
