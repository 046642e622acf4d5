// Several instances of the service over one Redis and one database.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TestApp } from '../../test/app.ts'
import { probe, readProbe, type Probe } from '../../test/probe.ts'
import { testRedis, type TestRedis } from '../../test/redis.ts'
import { eventually } from '../../test/eventually.ts'

const ROUNDS = 30

let world: Probe
let redis: TestRedis
let apps: TestApp[]

beforeAll(async () => {
  ;[world, redis] = await Promise.all([probe(), testRedis()])
  apps = await Promise.all([1, 2, 3, 4].map(() => world.app({ redisUrl: redis.url })))
})
afterAll(async () => {
  await world.end()
  await redis.stop()
})

const tenant = async (): Promise<string> => {
  const [id = ''] = await world.tenants(1)
  return id
}
/** Everybody reads it at once, each process twice. */
const readEverywhere = (id: string) =>
  Promise.all([...apps, ...apps].map((app) => readProbe(app, id)))

describe('an entry that all processes miss at once', () => {
  test('is computed once, and everybody gets that one', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const before = await world.computations()
      const answers = await readEverywhere(await tenant())
      expect(answers.map(({ status, computation }) => `${status} ${computation}`)).toEqual(
        answers.map(() => `200 ${before + 1}`),
      )
      expect(await world.computations()).toBe(before + 1)
    }
  })

  test('and which cannot be computed fails everywhere with the same answer', async () => {
    const id = await tenant()
    await world.make(id, 'fail')
    const answers = await readEverywhere(id)
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]))
  })
})

test('what one process renewed is what the others serve', async () => {
  const [one, other] = apps
  if (!one || !other) throw new Error('There are too few processes.')
  const id = await tenant()
  await readProbe(one, id)
  await world.say(id, 'changed')
  expect(await readProbe(one, id, '&bust_cache=true')).toMatchObject({ cache: 'BYPASS' })
  expect(await readProbe(other, id)).toMatchObject({ cache: 'HIT', word: 'changed' })
})

test('what one process busts is gone for all of them', async () => {
  const [one, other] = apps
  if (!one || !other) throw new Error('There are too few processes.')
  const id = await tenant()
  await readProbe(one, id)
  await other.post('/api/reports/clear-cache', { tenant_id: id }, await other.token())
  expect(await readProbe(one, id)).toMatchObject({ cache: 'MISS' })
})

test('a process that stops while it computes answers first, and the others go on', async () => {
  const id = await tenant()
  const leaving = await world.app({ redisUrl: redis.url })
  const before = await world.computations()
  const gate = await world.closeGate()
  const last = readProbe(leaving, id)
  await eventually(async () => expect(await world.computations()).toBe(before + 1))
  const waiting = readEverywhere(id)
  const stopped = leaving.engine.stop()
  await gate.open()
  expect(await last).toMatchObject({ status: 200 })
  expect((await waiting).map(({ computation }) => computation)).toEqual(
    (await waiting).map(() => before + 1),
  )
  await stopped
})
