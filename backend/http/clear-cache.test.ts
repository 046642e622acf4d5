import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { HOUR } from '../engine/clock.ts'
import { BUNDLE, httpWorld, problemOf, type HttpWorld } from '../test/http-world.ts'
import { testRedis, type TestRedis } from '../test/redis.ts'

const CLEAR = '/api/reports/clear-cache'
const NOBODY = '00000000-0000-4000-8000-000000000000'

let redis: TestRedis
let world: HttpWorld

beforeAll(async () => {
  redis = await testRedis()
  world = await httpWorld({ redisUrl: redis.url, settings: { localTrustMs: HOUR } })
})
// Two entries of tenant a, one of tenant b, and that of all tenants.
beforeEach(async () => {
  await world.post(CLEAR, {}, world.superadmin)
  for (const path of paths()) await read(path)
})
afterEach(() => redis.start())
afterAll(async () => {
  await world.stop()
  await redis.stop()
})

function paths(): string[] {
  const { a, b } = world
  const ofA = `${BUNDLE}?tenant_id=${a.id}`
  return [ofA, `${ofA}&include_test_data=false`, `${BUNDLE}?tenant_id=${b.id}`, BUNDLE]
}

async function read(path: string): Promise<string | null> {
  return (await world.get(path, world.superadmin)).headers.get('x-cache')
}

async function states(): Promise<(string | null)[]> {
  const found: (string | null)[] = []
  for (const path of paths()) found.push(await read(path))
  return found
}

async function clear(body: object, token = world.superadmin): Promise<unknown> {
  return (await world.post(CLEAR, body, token)).json()
}

const HITS = ['HIT', 'HIT', 'HIT', 'HIT']

test('nothing is cleared unless it is asked for', async () => {
  expect(await states()).toEqual(HITS)
})

test('a superadmin who names nothing clears everything', async () => {
  expect(await clear({})).toEqual({
    status: 'success',
    message: 'Cache cleared (all tenants)',
    data: { cleared: true, entries: 4 },
  })
  expect(await states()).toEqual(['MISS', 'MISS', 'MISS', 'MISS'])
})

test('a superadmin clears one tenant', async () => {
  expect(await clear({ tenant_id: world.a.id })).toEqual({
    status: 'success',
    message: `Cache cleared for tenant ${world.a.id}`,
    data: { cleared: true, entries: 2 },
  })
  expect(await states()).toEqual(['MISS', 'MISS', 'HIT', 'HIT'])
})

test('a superadmin clears one report', async () => {
  expect(await clear({ report: 'crm:dashboard_bundle' })).toMatchObject({
    message: 'Cache cleared for report crm:dashboard_bundle',
    data: { entries: 4 },
  })
  expect(await states()).toEqual(['MISS', 'MISS', 'MISS', 'MISS'])
})

test('clearing what is not there says that nothing went', async () => {
  expect(await clear({ tenant_id: NOBODY })).toMatchObject({ data: { entries: 0 } })
  await clear({})
  expect(await clear({})).toMatchObject({ data: { cleared: true, entries: 0 } })
})

test('an admin clears his own tenant, whether he names it or not', async () => {
  for (const body of [{}, { tenant_id: world.a.id }, { tenant_id: world.a.id.toUpperCase() }]) {
    await read(paths()[0] ?? '')
    expect(await clear(body, world.a.tokens.admin)).toMatchObject({
      message: `Cache cleared for tenant ${world.a.id}`,
    })
    expect(await states()).toEqual(['MISS', 'MISS', 'HIT', 'HIT'])
  }
})

test('an admin cannot clear another tenant or a report, and nothing goes', async () => {
  const { admin } = world.a.tokens
  const foreign = await world.post(CLEAR, { tenant_id: world.b.id }, admin)
  expect(await problemOf(foreign)).toMatchObject({ status: 404, field: 'tenant_id' })
  const report = await world.post(CLEAR, { report: 'crm:dashboard_bundle' }, admin)
  expect(await problemOf(report)).toMatchObject({ status: 403, field: 'role' })
  expect(await states()).toEqual(HITS)
})

test('no body at all is as an empty one', async () => {
  const answer = await fetch(`${world.url}${CLEAR}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${world.b.tokens.admin}` },
  })
  expect(await answer.json()).toMatchObject({ data: { entries: 1 } })
})

test('a cache that cannot be reached is not said to be cleared', async () => {
  await redis.kill()
  const answer = await world.post(CLEAR, {}, world.superadmin)
  expect(await problemOf(answer)).toMatchObject({ status: 503, code: 'unavailable' })
})
