import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { HOUR, SECOND } from '../engine/clock.ts'
import { BUNDLE, httpWorld, type HttpWorld } from '../test/http-world.ts'

const DAY_SECONDS = 24 * 3600
const NOON = new Date('2026-01-10T12:00:00Z')

let world: HttpWorld
let url: string
let token: string

beforeAll(async () => {
  world = await httpWorld()
  url = `${BUNDLE}?tenant_id=${world.a.id}`
})
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOON })
  token = await world.token({}, 3 * DAY_SECONDS)
  await world.post('/api/reports/clear-cache', {}, token)
})
afterEach(() => void vi.useRealTimers())
afterAll(() => world.stop())

const read = (headers: Record<string, string> = {}) => world.get(url, token, headers)

/** The part of a Cache-Status header (RFC 9211) after the name of the cache. */
function statusOf(answer: Response): string {
  const [, status = ''] =
    /^Prewarm; ([a-z]+(?:=[a-z]+)?(?:; ttl=-?\d+)?)$/.exec(
      answer.headers.get('cache-status') ?? '',
    ) ?? []
  return status
}

function stateOf(answer: Response): (string | null)[] {
  return [answer.headers.get('x-cache'), statusOf(answer), answer.headers.get('age')]
}

test('the first read is a miss, the next one a hit that tells its age and what is left of it', async () => {
  expect(stateOf(await read())).toEqual(['MISS', 'fwd=miss', '0'])
  vi.setSystemTime(NOON.getTime() + 90 * SECOND)
  expect(stateOf(await read())).toEqual(['HIT', 'hit; ttl=43110', '90'])
})

test('past its horizon an entry is served stale, and the next read has the new one', async () => {
  await read()
  vi.setSystemTime(NOON.getTime() + 12 * HOUR + 30 * SECOND)
  expect(stateOf(await read())).toEqual(['STALE', 'hit; ttl=-30', '43230'])
  await world.engine.reports.idle()
  expect(stateOf(await read())).toEqual(['HIT', 'hit; ttl=86370', '0'])
})

test('bust_cache goes past the cache and renews it', async () => {
  await read()
  vi.setSystemTime(NOON.getTime() + 60 * SECOND)
  const busting = await world.get(`${url}&bust_cache=true`, token)
  expect(stateOf(busting)).toEqual(['BYPASS', 'fwd=request', '0'])
  expect(stateOf(await read())).toEqual(['HIT', expect.any(String), '0'])
})

test('the body says whether it came from the cache', async () => {
  expect(await (await read()).json()).toMatchObject({ status: 'success', cached: false })
  expect(await (await read()).json()).toMatchObject({ status: 'success', cached: true })
})

const timing = async () => (await read()).headers.get('server-timing')

test('Server-Timing tells the time of the database, if it was asked', async () => {
  expect(await timing()).toMatch(/^cache;desc="MISS", db;dur=[\d.]+, total;dur=[\d.]+$/)
  expect(await timing()).toMatch(/^cache;desc="HIT", total;dur=[\d.]+$/)
})

const profiled = async () => (await world.get(`${url}&profile=true`, token)).json()

test('profile tells how long the database took, and is left out of hits', async () => {
  const profile = { totalQueries: 1, slowestQuery: 'dashboard_bundle' }
  expect(await profiled()).toMatchObject({ cached: false, profile })
  expect(await profiled()).not.toHaveProperty('profile')
})

const etagOf = async (widgets: string, more = '') =>
  (await world.get(`${url}&widgets=${widgets}${more}`, token)).headers.get('etag')

describe('an ETag', () => {
  test.each([
    ['as it is', (etag: string) => etag],
    ['as a strong one', (etag: string) => etag.slice(2)],
    ['among others', (etag: string) => `"x", W/"y" ,${etag}`],
    ['as a star', () => '*'],
  ])('that is sent back %s is answered with 304 and no body', async (_name, spell) => {
    const etag = (await read()).headers.get('etag') ?? ''
    expect(etag).toMatch(/^W\/"[\w-]+"$/)
    const again = await read({ 'if-none-match': spell(etag) })
    expect(again.status).toBe(304)
    expect(await again.text()).toBe('')
    expect(again.headers.get('etag')).toBe(etag)
    expect(again.headers.get('cache-control')).toBe('private, no-cache')
    expect(again.headers.get('vary')).toBe('Authorization')
  })

  test.each(['', 'W/', '"x"', 'x', '"', ',,,'])('of something else (%j) is not', async (etag) => {
    await read()
    expect((await read({ 'if-none-match': etag })).status).toBe(200)
  })

  test('stays when the same data are computed again, and moves with them', async () => {
    const renewed = '&bust_cache=true'
    const before = await etagOf('', renewed)
    expect(await etagOf('', renewed)).toBe(before)
    await world.db.query(`insert into crm.leads (tenant_id, company) values ($1, 'New')`, [
      world.a.id,
    ])
    expect(await etagOf('', renewed)).not.toBe(before)
  })

  test('of one choice of widgets is not that of another', async () => {
    const all = [await etagOf(''), await etagOf('salesPipeline'), await etagOf('recentActivities')]
    expect(new Set(all).size).toBe(3)
    expect(await etagOf('recentActivities,salesPipeline')).toBe(
      await etagOf('salesPipeline, recentActivities'),
    )
  })
})

test('HEAD has the headers of GET and no body', async () => {
  await read()
  const got = await read()
  const head = await fetch(`${world.url}${url}`, {
    method: 'HEAD',
    headers: { authorization: `Bearer ${token}` },
  })
  expect(await head.text()).toBe('')
  for (const name of ['content-type', 'content-length', 'etag', 'x-cache', 'age', 'vary']) {
    expect([name, head.headers.get(name)]).toEqual([name, got.headers.get(name)])
  }
})

const SECURITY = ['content-security-policy', 'x-content-type-options', 'x-frame-options']

test('every answer has security headers and names neither Express nor HSTS', async () => {
  await read()
  const answers = [await read(), await world.get('/health'), await world.get('/api/reports')]
  for (const { headers } of [...answers, await world.get('/nonsense')]) {
    for (const name of SECURITY) expect(headers.get(name)).not.toBeNull()
    expect(headers.get('x-powered-by')).toBeNull()
    expect(headers.get('strict-transport-security')).toBeNull()
  }
})

test.each(['/health', '/readyz', '/nonsense', '/api/reports', '/api/cron/jobs', '/api/cron/runs'])(
  'no cache may keep %s',
  async (path) => {
    for (const caller of [token, undefined]) {
      const { headers } = await world.get(path, caller)
      expect(headers.get('cache-control')).toBe('no-store')
    }
  },
)

test('a request id that can be printed anywhere is taken over', async () => {
  for (const id of ['a', 'Trace-1_2.3', 'x'.repeat(64)]) {
    expect((await read({ 'x-request-id': id })).headers.get('x-request-id')).toBe(id)
  }
})

test.each(['', 'a b', 'x'.repeat(65), 'a,b', '<script>', 'a;b', '\u00e9', 'a\tb'])(
  'the request id %j is replaced by a new one',
  async (id) => {
    for (const path of [url, '/health', '/nonsense']) {
      const { headers } = await world.get(path, token, { 'x-request-id': id })
      expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
    }
  },
)
