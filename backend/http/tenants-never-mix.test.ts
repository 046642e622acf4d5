import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { HOUR } from '../engine/clock.ts'
import { BUNDLE, companiesIn, httpWorld, type HttpWorld } from '../test/http-world.ts'
import { testRedis, type TestRedis } from '../test/redis.ts'

let redis: TestRedis
let world: HttpWorld
let url: string

// Whatever was read once is on the hit path from then on.
beforeAll(async () => {
  redis = await testRedis()
  world = await httpWorld({ redisUrl: redis.url, settings: { localTrustMs: HOUR } })
  url = `${BUNDLE}?tenant_id=${world.a.id}`
})
beforeEach(() => world.post('/api/reports/clear-cache', {}, world.superadmin))
afterAll(async () => {
  await world.stop()
  await redis.stop()
})

const OF_TENANT = ['Alpha boss', 'Alpha member', 'Alpha nobody', 'Alpha team']

/** What each caller must see at the very same URL: companies, or a status. */
function audience(): { token: string | undefined; sees: string[] | number }[] {
  const { a, b, superadmin, callers } = world
  return [
    { token: superadmin, sees: OF_TENANT },
    { token: a.tokens.admin, sees: OF_TENANT },
    { token: a.tokens.member, sees: ['Alpha member', 'Alpha nobody'] },
    { token: a.tokens.teamMember, sees: ['Alpha nobody', 'Alpha team'] },
    { token: b.tokens.admin, sees: 404 },
    { token: b.tokens.member, sees: 404 },
    { token: callers.scheduler, sees: 403 },
    { token: 'forged', sees: 401 },
    { token: undefined, sees: 401 },
  ]
}

async function seenAt(path: string, token: string | undefined): Promise<string[] | number> {
  const answer = await world.get(path, token)
  return answer.status === 200 ? companiesIn(answer) : answer.status
}

const shuffled = <T>(items: readonly T[], seed: number): T[] =>
  items
    .map((item, i) => ({ item, at: Math.sin(seed * 100 + i) }))
    .toSorted((one, other) => one.at - other.at)
    .map(({ item }) => item)

test('at one URL everybody gets his own, however their requests interleave', async () => {
  const requests = Array.from({ length: 25 }, (_, round) => shuffled(audience(), round)).flat()
  const seen = await Promise.all(requests.map(({ token }) => seenAt(url, token)))
  expect(seen).toEqual(requests.map(({ sees }) => sees))
})

test('it stays so on the hit path', async () => {
  for (let round = 0; round < 4; round += 1) {
    for (const { token, sees } of shuffled(audience(), round)) {
      expect(await seenAt(url, token)).toEqual(sees)
    }
  }
  const hits = world.log.filter(({ message }) => message.includes('(memory)'))
  expect(hits.length).toBeGreaterThan(0)
})

test('the URL without a tenant is all tenants for the superadmin, and an error for others', async () => {
  for (let round = 0; round < 3; round += 1) {
    expect(await seenAt(BUNDLE, world.superadmin)).toHaveLength(8)
    expect(await seenAt(BUNDLE, world.a.tokens.admin)).toBe(400)
    expect(await seenAt(BUNDLE, world.b.tokens.member)).toBe(400)
  }
})

test('an ETag of one caller gets another his own answer, not a 304', async () => {
  const etagFor = async (token: string) => (await world.get(url, token)).headers.get('etag') ?? ''
  const { admin, member } = world.a.tokens
  for (let round = 0; round < 3; round += 1) {
    const known = { 'if-none-match': await etagFor(admin) }
    expect((await world.get(url, admin, known)).status).toBe(304)
    expect(await companiesIn(await world.get(url, member, known))).toEqual([
      'Alpha member',
      'Alpha nobody',
    ])
    expect((await world.get(url, world.b.tokens.admin, known)).status).toBe(404)
    expect((await world.get(url, undefined, { 'if-none-match': '*' })).status).toBe(401)
  }
})

test('caches on the way are told that the answer is for this caller alone', async () => {
  for (let round = 0; round < 3; round += 1) {
    const { headers } = await world.get(url, world.a.tokens.admin)
    expect(headers.get('vary')).toBe('Authorization')
    expect(headers.get('cache-control')).toBe('private, no-cache')
  }
})

test('spelling a parameter differently gives nobody the answer of another', async () => {
  const { a, b } = world
  const spellings = [
    `${BUNDLE}?tenant_id=${a.id.toUpperCase()}`,
    `${BUNDLE}?tenant_id=${a.id}:user=${a.member}`,
    `${BUNDLE}?tenant_id=${a.id}%3Ainclude%3Dtrue`,
    `${BUNDLE}?tenant_id=${a.id}&tenant_id=${b.id}`,
    `${BUNDLE}?tenant_id=${b.id}&tenant_id=${a.id}`,
    `${BUNDLE}?tenant_id[]=${a.id}`,
    `${BUNDLE}?tenant_id=SUPERADMIN_GLOBAL`,
    `${BUNDLE}?TENANT_ID=${a.id}`,
    `${BUNDLE}?tenant_id=*`,
    `${BUNDLE}?tenant_id=${b.id}&include_test_data=true:user=${b.member}`,
  ]
  await Promise.all(audience().map(({ token }) => seenAt(url, token)))
  for (const path of [...spellings, ...spellings]) {
    const seen = await seenAt(path, b.tokens.member)
    expect([path, typeof seen]).toEqual([path, 'number'])
  }
})

test('each scope has a key of its own in Redis, and it begins with the tenant', async () => {
  const { a, superadmin } = world
  await Promise.all(audience().map(({ token }) => seenAt(url, token)))
  await seenAt(BUNDLE, superadmin)
  await seenAt(`${url}&team_id=${a.team}&assigned_to=${a.member}`, a.tokens.admin)
  const client = new Redis(redis.url)
  const keys = await client.keys('dashboard:*').finally(() => client.disconnect())
  const whole = `dashboard:bundle:${a.id}:include=true`
  expect(keys.toSorted()).toEqual(
    [
      whole,
      `${whole}:user=${a.member}`,
      `${whole}:user=${a.teamMember}:teams=${a.team}`,
      `${whole}:team=${a.team}:emp=${a.member}`,
      'dashboard:bundle:SUPERADMIN_GLOBAL:include=true',
    ].toSorted(),
  )
})

test('reports, jobs and runs of one tenant do not show those of another', async () => {
  const { a, b } = world
  const job = { name: 'Of Beta', schedule: 'hourly', function_name: 'warmDashboardBundleCache' }
  await world.post('/api/cron/jobs', job, b.tokens.admin)
  await world.post('/api/cron/execute', { function_name: job.function_name }, b.tokens.admin)
  const textOf = async (path: string) => (await world.get(path, a.tokens.admin)).text()
  for (const path of ['/api/cron/jobs', '/api/cron/runs', '/api/reports']) {
    expect(await textOf(path)).not.toMatch(new RegExp(`Beta|${b.id}`))
  }
})
