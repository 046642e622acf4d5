import { randomUUID } from 'node:crypto'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { HOUR, SECOND } from '../engine/clock.ts'
import { BUNDLE, httpWorld, problemOf, type HttpWorld } from '../test/http-world.ts'
import { testLog } from '../test/log.ts'
import { createApiLog } from './api-log.ts'
import { createCacheLog } from './cache-log.ts'
import { createHitPath } from './hit-path.ts'
import { createRateLimit } from './rate-limit.ts'
import { createPayloads } from './report-answer.ts'

const NOON = new Date('2026-01-10T12:00:00Z')

// A URL that was read is answered on the hit path for an hour in `quick`, and never in `slow`. Both serve the same data.
let quick: HttpWorld
let slow: HttpWorld
let url: string

beforeAll(async () => {
  quick = await httpWorld({ settings: { localTrustMs: HOUR }, rateLimitPerMinute: 1000 })
  slow = await httpWorld({ databaseUrl: quick.databaseUrl, rateLimitPerMinute: 1000 })
  url = `${BUNDLE}?tenant_id=${quick.a.id}`
})
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOON })
  for (const world of [quick, slow]) {
    await world.post('/api/reports/clear-cache', {}, await world.token())
  }
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})
afterAll(async () => {
  await slow.stop()
  await quick.stop()
})

const OF_ONE_MOMENT = new Set(['date', 'x-request-id', 'server-timing', 'ratelimit'])

type Whole = { status: number; headers: Record<string, string>; body: string }

async function whole(answer: Response): Promise<Whole> {
  const lasting = [...answer.headers].filter(([name]) => !OF_ONE_MOMENT.has(name))
  return { status: answer.status, headers: Object.fromEntries(lasting), body: await answer.text() }
}

/** The third answer in a row, seven seconds after the others: computed, then read, then known. */
async function third(world: HttpWorld, path: string, headers = {}): Promise<Whole> {
  vi.setSystemTime(NOON)
  const token = await world.token({ subject: randomUUID() })
  await world.get(path, token, headers)
  await world.get(path, token, headers)
  vi.setSystemTime(NOON.getTime() + 7 * SECOND)
  return whole(await world.get(path, token, headers))
}

test.each([
  ['a bundle', '', {}],
  ['some widgets', '&widgets=leadSourceChart,recentActivities', {}],
  ['a profile', '&profile=true', {}],
  ['a bundle without test data', '&include_test_data=false', {}],
  ['a known bundle', '', { 'if-none-match': '*' }],
  ['other words than known', '', { 'if-none-match': 'W/"other"' }],
  ['a request with an id', '', { 'x-request-id': 'mine' }],
])('%s is answered as on the whole way', async (_name, parameters, headers) => {
  const read = vi.spyOn(quick.engine.reports, 'read')
  const known = await third(quick, `${url}${parameters}`, headers)
  expect(read).toHaveBeenCalledTimes(2)
  expect(known).toEqual(await third(slow, `${url}${parameters}`, headers))
  expect(known.headers).toMatchObject({ age: '7', 'x-cache': 'HIT' })
})

test('an answer that the caller has already is known on the hit path too', async () => {
  const { headers } = await third(slow, url)
  const known = await third(quick, url, { 'if-none-match': headers['etag'] ?? '' })
  expect([known.status, known.body]).toEqual([304, ''])
})

test('what belongs to the moment is told on the hit path too', async () => {
  const token = await quick.token({ subject: 'somebody' })
  const headersOf = async () => (await quick.get(url, token, { 'x-request-id': 'mine' })).headers
  await headersOf()
  await headersOf()
  const headers = await headersOf()
  expect(headers.get('x-request-id')).toBe('mine')
  expect(headers.get('server-timing')).toMatch(/^cache;desc="HIT", total;dur=[\d.]+$/)
  expect(headers.get('ratelimit')).toBe('"per-caller";r=997;t=60')
  expect(headers.get('ratelimit-policy')).toBe('"per-caller";q=1000;w=60')
  expect(headers.get('date')).not.toBeNull()
})

test('HEAD and POST of a known URL are not answered as GET is', async () => {
  const token = await quick.token()
  await third(quick, url)
  const head = await fetch(`${quick.url}${url}`, {
    method: 'HEAD',
    headers: { authorization: `Bearer ${token}` },
  })
  expect([head.status, await head.text()]).toEqual([200, ''])
  expect((await quick.post(url, {}, token)).status).toBe(404)
})

test('what was busted is not known any more', async () => {
  const token = await quick.token()
  await third(quick, url)
  await quick.post('/api/reports/clear-cache', { tenant_id: quick.a.id }, token)
  expect((await quick.get(url, token)).headers.get('x-cache')).toBe('MISS')
})

test('URLs that are made up to fill the memory push one another out', async () => {
  await quick.get(url, await quick.token())
  const { reports } = quick.engine
  const [report] = reports.catalog.all
  if (!report) throw new Error('There is no report.')
  const log = createCacheLog(testLog().log)
  const payloads = createPayloads(1_000_000)
  const apiLog = createApiLog({ write: async () => {}, isOn: false, log: testLog().log })
  const limit = createRateLimit(100)
  const hitPath = createHitPath({ reports, limit, log, apiLog, payloads })
  const key = `dashboard:bundle:${quick.a.id}:include=true`
  const caller = { kind: 'scheduler' } as const
  const logged = { endpoint: '/first', method: 'GET', tenantId: quick.a.id }
  const answer = { report, key, widgets: null, isBare: false, caller, headers: {}, logged }
  const isKnown = (path: string) => {
    const request = Object.assign(new IncomingMessage(new Socket()), { method: 'GET', url: path })
    return hitPath.serve(request, new ServerResponse(request))
  }
  hitPath.remember({ headers: {}, originalUrl: '/first' }, answer)
  expect(await isKnown('/first')).toBe(true)
  for (let i = 0; i < 1500; i += 1) {
    hitPath.remember({ headers: {}, originalUrl: `/${i}/${'x'.repeat(15_000)}` }, answer)
  }
  expect([await isKnown('/first'), await isKnown(`/1499/${'x'.repeat(15_000)}`)]).toEqual([
    false,
    true,
  ])
  await log.stop()
})

test('the minute of a caller is used up on the hit path as on the whole way', async () => {
  const token = await quick.token({ subject: 'greedy' })
  const ask = () => quick.get(url, token)
  const statuses: number[] = []
  while (!statuses.includes(429) && statuses.length < 1100) {
    const answers = await Promise.all(Array.from({ length: 50 }, ask))
    statuses.push(...answers.map(({ status }) => status))
    await Promise.all(answers.map((answer) => answer.arrayBuffer()))
  }
  expect(statuses.filter((status) => status === 200)).toHaveLength(1000)
  const refused = await ask()
  expect(refused.headers.get('retry-after')).toMatch(/^\d+$/)
  expect(await problemOf(refused)).toMatchObject({ status: 429, code: 'too_many_requests' })
  expect((await quick.get(url, await quick.token({ subject: 'modest' }))).status).toBe(200)
})
