import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import { testApp, type TestApp } from '../test/app.ts'
import { CRON_SECRET, problemOf } from '../test/http-world.ts'
import { viewWorld, type ViewWorld } from '../test/views.ts'

const EVENTS = '/api/admin/events'

let world: ViewWorld
let app: TestApp
let superadmin: string
let admin: string

beforeAll(async () => {
  world = await viewWorld()
  world.define('mv_days', { refresh: [{ onEvent: 'etl.completed' }], targetLagSeconds: 60 })
  world.define('mv_staff', { refresh: [{ onEvent: 'etl.completed' }, { onEvent: 'payout' }] })
  await world.install()
  app = await testApp({
    databaseUrl: world.url,
    domains: [world.domain],
    cronSecret: CRON_SECRET,
  })
  superadmin = await app.token()
  admin = await app.token({ role: 'admin', tenantId: randomUUID() })
})
afterAll(async () => {
  await app.stop()
  await world.end()
})

const Success = z.strictObject({ status: z.literal('success'), data: z.unknown() })

const dataOf = async (response: Response): Promise<unknown> =>
  Success.parse(await response.json()).data

test('the views are listed with how fresh they are, what they wait for and their last runs', async () => {
  await world.age('mv_days', 61)
  const data = await dataOf(await app.get('/api/admin/views', superadmin))
  expect(data).toMatchObject({
    total: 3,
    views: [
      {
        view_name: 'mv_days',
        domain: 'shop',
        last_refreshed: expect.any(String),
        is_stale: true,
        target_lag_seconds: 60,
        is_pending: false,
        consecutive_failures: 0,
        last_error: null,
        last_runs: [],
      },
      { view_name: 'mv_staff', is_stale: false, target_lag_seconds: 3600 },
      { view_name: 'mv_totals', is_stale: false },
    ],
  })
})

test('a view is refreshed now, and its history tells of it, page by page', async () => {
  const tenant = await world.sell(5)
  const data = await dataOf(await app.post('/api/admin/views/mv_days/refresh', {}, superadmin))
  expect(data).toMatchObject({ view: { view_name: 'mv_days', status: 'refreshed' } })
  expect(await world.db.query('select tenant_id, amount from shop.mv_days')).toEqual([
    { tenant_id: tenant, amount: '5' },
  ])
  await app.post('/api/admin/views/mv_days/refresh', {}, superadmin)
  const path = '/api/admin/views/mv_days/history'
  const run = { status: 'success', triggered_by: 'tester', row_count: 1, error_message: null }
  expect(await dataOf(await app.get(path, superadmin))).toMatchObject({
    runs: [run, run],
    page: 1,
    pageSize: 20,
  })
  const second = await dataOf(await app.get(`${path}?page=2&limit=1`, superadmin))
  expect(second).toMatchObject({ runs: [run], page: 2, pageSize: 1 })
  expect(await dataOf(await app.get(`${path}?page=3&limit=1`, superadmin))).toMatchObject({
    runs: [],
  })
})

test('a refresh that fails is an error that says why, and stays visible', async () => {
  const row = [randomUUID(), 'Kim']
  for (let i = 0; i < 2; i += 1) {
    await world.db.query('insert into shop.staff (tenant_id, name) values ($1, $2)', row)
  }
  const answer = await app.post('/api/admin/views/mv_staff/refresh', {}, superadmin)
  expect(answer.status).toBe(500)
  expect(await answer.json()).toMatchObject({
    status: 'error',
    code: 'refresh_failed',
    message: expect.stringMatching(/^The view mv_staff could not be refreshed: .*duplicate/),
    request_id: answer.headers.get('x-request-id'),
  })
  expect(await dataOf(await app.get('/api/admin/views', superadmin))).toMatchObject({
    views: [
      { view_name: 'mv_days' },
      {
        view_name: 'mv_staff',
        consecutive_failures: 1,
        last_error: expect.stringContaining('duplicate'),
        is_pending: true,
        last_runs: [{ status: 'failed' }],
      },
      { view_name: 'mv_totals' },
    ],
  })
  await world.db.query('delete from shop.staff')
})

test.each([
  ['a superadmin', () => superadmin],
  ['the cron secret', () => CRON_SECRET],
])('an event asks for the views that wait for it, when it comes from %s', async (_name, token) => {
  const data = await dataOf(await app.post(EVENTS, { name: 'etl.completed' }, token()))
  expect(data).toMatchObject({ event: 'etl.completed' })
  expect(data).toEqual({
    event: 'etl.completed',
    views: expect.arrayContaining(['mv_days', 'mv_staff']),
  })
  expect(await world.state('mv_days')).toMatchObject({ is_pending: true })
  expect((await world.state('mv_days')).reasons).toContain('etl.completed')
  expect(await world.state('mv_totals')).toMatchObject({ is_pending: false })
})

test.each([
  [{ name: 'etl.complete' }, 'name', 'Did you mean "etl.completed"?'],
  [{ name: 'sunrise' }, 'name', 'There are: etl.completed, payout.'],
  [{ name: '' }, 'name', 'name is required'],
  [{ name: 7 }, 'name', 'name'],
  [{}, 'name', 'name'],
  [{ name: 'payout', tenant: 'x' }, 'tenant', 'tenant is not a field'],
])('the event %j is a bad request that names the field', async (body, field, message) => {
  const problem = await problemOf(await app.post(EVENTS, body, superadmin))
  expect(problem).toMatchObject({ status: 400, field, message: expect.stringContaining(message) })
})

test.each([
  ['GET', '/api/admin/views', undefined],
  ['GET', '/api/admin/views/mv_days/history', undefined],
  ['POST', '/api/admin/views/mv_days/refresh', {}],
  ['POST', EVENTS, { name: 'payout' }],
])('%s %s is for superadmins', async (method, path, body) => {
  const ask = (token?: string) =>
    method === 'GET' ? app.get(path, token) : app.post(path, body, token)
  expect((await ask()).status).toBe(401)
  expect((await ask(admin)).status).toBe(403)
  expect((await ask(CRON_SECRET)).status).toBe(path === EVENTS ? 200 : 403)
  expect((await ask(superadmin)).status).toBe(200)
})

test.each([
  ['/api/admin/views/mv_none/history', 404, 'name'],
  ['/api/admin/views/toString/history', 404, 'name'],
  ['/api/admin/views/mv_days/history?page=0', 400, 'page'],
  ['/api/admin/views/mv_days/history?limit=101', 400, 'limit'],
  ['/api/admin/views/mv_days/history?page=1e300', 400, 'page'],
])('GET %s is refused, and the field is named', async (path, status, field) => {
  expect(await problemOf(await app.get(path, superadmin))).toMatchObject({ status, field })
})
