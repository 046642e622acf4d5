import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { testApp, type TestApp } from '../test/app.ts'
import { CRON_SECRET, problemOf } from '../test/http-world.ts'
import { viewWorld, type ViewWorld } from '../test/views.ts'

const REFRESH_TOKEN = 'a token that refreshes views'.replaceAll(' ', '-')
const KPIS = '/api/admin/refresh-kpis'
const VIEWS = '/api/admin/refresh-views'

let world: ViewWorld
let app: TestApp
let closed: TestApp
let admin: string
let member: string

beforeAll(async () => {
  world = await viewWorld()
  await world.install()
  const refreshEndpoints = [
    { path: KPIS, views: ['mv_totals'], onGet: 'refresh' },
    { path: VIEWS, views: ['mv_staff', 'mv_days'], onGet: 'freshness' },
  ] as const
  const domains = [{ ...world.domain, refreshEndpoints }]
  const options = { databaseUrl: world.url, domains }
  app = await testApp({ ...options, cronSecret: CRON_SECRET, refreshToken: REFRESH_TOKEN })
  closed = await testApp(options)
  const tenantId = randomUUID()
  admin = await app.token({ role: 'admin', tenantId })
  member = await app.token({ subject: randomUUID(), role: 'member', tenantId })
})
afterAll(async () => {
  await app.stop()
  await closed.stop()
  await world.end()
})

type Headers = Record<string, string>
const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` })
const send = (method: string, path: string, headers: Headers = {}, to = app): Promise<Response> =>
  fetch(`${to.url}${path}`, { method, headers })

const Refreshed = z.strictObject({
  success: z.literal(true),
  refreshed_at: z.iso.datetime(),
  duration_ms: z.int().min(0),
  views: z.array(
    z.strictObject({
      view_name: z.string(),
      status: z.string(),
      refreshed_at: z.iso.datetime(),
    }),
  ),
  freshness: z.array(
    z.strictObject({
      view_name: z.string(),
      last_refreshed: z.iso.datetime(),
      age_seconds: z.int().min(0),
    }),
  ),
})

test('POST refreshes the views of the endpoint, and tells of each when and how fresh it is', async () => {
  const tenant = await world.sell(3, 4)
  const answer = await send('POST', VIEWS, { 'x-refresh-token': REFRESH_TOKEN })
  expect(answer.status).toBe(200)
  const { views, freshness } = Refreshed.parse(await answer.json())
  const names = [{ view_name: 'mv_days' }, { view_name: 'mv_staff' }]
  expect(views.toSorted((a, b) => a.view_name.localeCompare(b.view_name))).toMatchObject(
    names.map((name) => ({ ...name, status: 'refreshed' })),
  )
  expect(freshness).toMatchObject(names)
  expect(await world.db.query('select tenant_id, amount from shop.mv_days')).toContainEqual({
    tenant_id: tenant,
    amount: '7',
  })
})

test('GET refreshes where the platform can only GET, and tells of freshness elsewhere; HEAD does nothing', async () => {
  const before = (await world.state('mv_totals')).last_refreshed
  const answer = await send('GET', KPIS, bearer(CRON_SECRET))
  expect(Refreshed.parse(await answer.json()).views).toMatchObject([{ view_name: 'mv_totals' }])
  expect((await world.state('mv_totals')).last_refreshed.getTime()).toBeGreaterThan(
    before.getTime(),
  )
  const refreshed = (await world.state('mv_totals')).last_refreshed
  expect((await send('HEAD', KPIS, bearer(CRON_SECRET))).status).toBe(200)
  expect((await world.state('mv_totals')).last_refreshed).toEqual(refreshed)
  const days = (await world.state('mv_days')).last_refreshed
  expect(await (await send('GET', VIEWS, bearer(CRON_SECRET))).json()).toEqual({
    success: true,
    views: [
      {
        view_name: 'mv_days',
        last_refreshed: days.toISOString(),
        age_seconds: expect.any(Number),
      },
      {
        view_name: 'mv_staff',
        last_refreshed: expect.any(String),
        age_seconds: expect.any(Number),
      },
    ],
    checked_at: expect.any(String),
  })
  expect((await world.state('mv_days')).last_refreshed).toEqual(days)
})

describe.each(['GET', 'POST'])('%s', (method) => {
  test.each([
    ['a superadmin', async () => bearer(await app.token())],
    ['an admin', async () => bearer(admin)],
    ['the cron secret', async () => bearer(CRON_SECRET)],
    ['the refresh token', async () => ({ 'x-refresh-token': REFRESH_TOKEN })],
  ])('with %s is let in', async (_name, headers) => {
    for (const path of [KPIS, VIEWS]) {
      expect((await send(method, path, await headers())).status).toBe(200)
    }
  })

  test.each([
    ['nothing', async () => ({}), 401, 'authorization'],
    ['a token of nobody', async () => bearer('nonsense'), 401, 'authorization'],
    ['the refresh token as a token', async () => bearer(REFRESH_TOKEN), 401, 'authorization'],
    ['a member', async () => bearer(member), 403, 'role'],
  ])('with %s is refused', async (_name, headers, status, field) => {
    for (const path of [KPIS, VIEWS]) {
      const problem = await problemOf(await send(method, path, await headers()))
      expect(problem).toMatchObject({ status, field })
    }
  })

  test.each([
    ['a wrong refresh token', async () => ({ 'x-refresh-token': 'x' })],
    ['an empty refresh token', async () => ({ 'x-refresh-token': '' })],
    [
      'a wrong refresh token beside a good token',
      async () => ({ ...bearer(admin), 'x-refresh-token': `${REFRESH_TOKEN}x` }),
    ],
  ])('with %s is refused in the words of the contract', async (_name, headers) => {
    for (const path of [KPIS, VIEWS]) {
      expect(await problemOf(await send(method, path, await headers()))).toMatchObject({
        status: 401,
        field: 'x-refresh-token',
        message: 'Invalid token',
      })
    }
  })

  test('with a token in the URL is refused, however good it is', async () => {
    const url = `${VIEWS}?token=${REFRESH_TOKEN}`
    const problem = await problemOf(await send(method, url, bearer(admin)))
    expect(problem).toMatchObject({ status: 400, field: 'token' })
    expect(problem.message).toContain('x-refresh-token')
    expect(problem.message).not.toContain(REFRESH_TOKEN)
  })

  test('with a refresh token where none is configured says so', async () => {
    const headers = { 'x-refresh-token': 'undefined' }
    expect(await problemOf(await send(method, VIEWS, headers, closed))).toMatchObject({
      status: 500,
      message: 'Refresh endpoint not configured',
      field: 'MATERIALIZED_VIEWS_REFRESH_TOKEN',
    })
  })
})

test('the refresh token opens nothing else', async () => {
  for (const path of ['/api/reports', '/api/admin/views', '/api/cron/jobs']) {
    expect((await send('GET', path, { 'x-refresh-token': REFRESH_TOKEN })).status).toBe(401)
  }
  expect((await send('PUT', VIEWS, { 'x-refresh-token': REFRESH_TOKEN })).status).toBe(401)
})

test('who guesses refresh tokens is slowed down, and the good one is not', async () => {
  const options = { databaseUrl: world.url, refreshToken: REFRESH_TOKEN, rateLimitPerMinute: 3 }
  const refreshEndpoints = [{ path: VIEWS, views: ['mv_days'], onGet: 'freshness' }] as const
  const limited = await testApp({ ...options, domains: [{ ...world.domain, refreshEndpoints }] })
  const guess = (token: string) => send('GET', VIEWS, { 'x-refresh-token': token }, limited)
  const statuses: number[] = []
  for (let i = 0; i < 4; i += 1) statuses.push((await guess(`${i}`)).status)
  expect(statuses).toEqual([401, 401, 401, 429])
  expect((await guess(REFRESH_TOKEN)).status).toBe(200)
  await limited.stop()
})

test('also where no refresh token is configured whoever tries one is slowed down', async () => {
  const options = { databaseUrl: world.url, rateLimitPerMinute: 3 }
  const refreshEndpoints = [{ path: VIEWS, views: ['mv_days'], onGet: 'freshness' }] as const
  const limited = await testApp({ ...options, domains: [{ ...world.domain, refreshEndpoints }] })
  const statuses: number[] = []
  for (let i = 0; i < 4; i += 1) {
    statuses.push((await send('POST', VIEWS, { 'x-refresh-token': 'x' }, limited)).status)
  }
  expect(statuses).toEqual([500, 500, 500, 429])
  await limited.stop()
})

test('a view that fails is named, and the others are refreshed all the same', async () => {
  const tenant = await world.sell(1)
  const twice =
    "insert into shop.staff (tenant_id, name) select $1, 'Kim' from generate_series(1, 2)"
  await world.db.query(twice, [tenant])
  const answer = await send('POST', VIEWS, bearer(admin))
  expect(answer.status).toBe(500)
  const body: unknown = await answer.json()
  expect(body).toMatchObject({
    success: false,
    error: 'Failed to refresh views',
    details: expect.stringMatching(/^mv_staff: .*duplicate/),
    views: expect.arrayContaining([
      { view_name: 'mv_days', status: 'refreshed', refreshed_at: expect.any(String) },
      { view_name: 'mv_staff', status: 'failed', refreshed_at: expect.any(String) },
    ]),
    freshness: [{ view_name: 'mv_days' }, { view_name: 'mv_staff' }],
    request_id: answer.headers.get('x-request-id'),
  })
  const [row] = await world.db.query('select amount from shop.mv_days where tenant_id = $1', [
    tenant,
  ])
  expect(row).toEqual({ amount: '1' })
  await world.db.query('delete from shop.staff')
})

test('the history says who has refreshed', async () => {
  await send('POST', KPIS, bearer(CRON_SECRET))
  await send('POST', KPIS, bearer(admin))
  const views = await world.views()
  const runs = await views.history('mv_totals', { page: 1, pageSize: 2 })
  expect(runs.map(({ triggered_by }) => triggered_by)).toEqual(['tester', 'scheduler'])
})

test('the endpoints are described, with both ways to be let in', async () => {
  const Described = z.object({ paths: z.record(z.string(), z.unknown()) })
  const { paths } = Described.parse(await (await app.get('/api/openapi.json')).json())
  const security = [{ token: [] }, { refreshToken: [] }]
  expect(paths[KPIS]).toMatchObject({ get: { security }, post: { security } })
  expect(paths[VIEWS]).toMatchObject({
    get: { summary: 'How fresh mv_staff, mv_days are' },
    post: { summary: 'Refresh mv_staff, mv_days' },
  })
})
