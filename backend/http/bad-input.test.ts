import { once } from 'node:events'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BUNDLE, httpWorld, problemOf, type HttpWorld } from '../test/http-world.ts'

const UUID = '00000000-0000-4000-8000-000000000000'
const CLEAR = '/api/reports/clear-cache'
const JOBS = '/api/cron/jobs'
const EXECUTE = '/api/cron/execute'
const EXECUTABLE = { function_name: 'warmDashboardBundleCache' }
const JOB = { name: 'A job', schedule: 'hourly', ...EXECUTABLE }

// JSON.parse can read it; to walk down all of it takes more stack than there is.
const DEEP = JSON.stringify({ ...JOB, metadata: 'here' }).replace(
  '"here"',
  `{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`,
)

let world: HttpWorld

beforeAll(async () => {
  world = await httpWorld()
})
afterAll(() => world.stop())

function send(method: string, path: string, body?: unknown): Promise<Response> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return fetch(`${world.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${world.superadmin}` },
    ...(body === undefined ? {} : { body: text }),
  })
}

type Case = [name: string, path: string, status: number, field: string]
type BodyCase = [name: string, body: unknown, status: number, field: string]

const QUERIES: Case[] = [
  ['an empty tenant_id', `${BUNDLE}?tenant_id=`, 400, 'tenant_id'],
  ['the tenant_id null', `${BUNDLE}?tenant_id=null`, 400, 'tenant_id'],
  ['the tenant_id undefined', `${BUNDLE}?tenant_id=undefined`, 400, 'tenant_id'],
  ['a tenant_id that is not a uuid', `${BUNDLE}?tenant_id=42`, 400, 'tenant_id'],
  ['a tenant_id with a NUL', `${BUNDLE}?tenant_id=%00`, 400, 'tenant_id'],
  ['a uuid with a NUL', `${BUNDLE}?tenant_id=${UUID}%00`, 400, 'tenant_id'],
  ['a uuid with a line feed', `${BUNDLE}?tenant_id=${UUID}%0a`, 400, 'tenant_id'],
  ['two tenant_ids', `${BUNDLE}?tenant_id=${UUID}&tenant_id=${UUID}`, 400, 'tenant_id'],
  ['an unknown tenant', `${BUNDLE}?tenant_id=${UUID}`, 404, 'tenant_id'],
  ['malformed percent-encoding', `${BUNDLE}?tenant_id=%zz`, 400, 'tenant_id'],
  ['an unclear bust_cache', `${BUNDLE}?bust_cache=maybe`, 400, 'bust_cache'],
  ['two bust_caches', `${BUNDLE}?bust_cache=true&bust_cache=true`, 400, 'bust_cache'],
  ['an unclear profile', `${BUNDLE}?profile=1`, 400, 'profile'],
  ['unclear test data', `${BUNDLE}?include_test_data=maybe`, 400, 'include_test_data'],
  [
    'two include_test_data',
    `${BUNDLE}?include_test_data=true&include_test_data=false`,
    400,
    'include_test_data',
  ],
  ['an unknown widget', `${BUNDLE}?widgets=salesPipeline,nonsense`, 400, 'widgets'],
  ['the widget __proto__', `${BUNDLE}?widgets=__proto__`, 400, 'widgets'],
  ['the widget constructor', `${BUNDLE}?widgets=constructor`, 400, 'widgets'],
  ['two lists of widgets', `${BUNDLE}?widgets=salesPipeline&widgets=topAccounts`, 400, 'widgets'],
  ['a team that is not a uuid', `${BUNDLE}?tenant_id=${UUID}&team_id=*`, 400, 'team_id'],
  ['an unclear person', `${BUNDLE}?tenant_id=${UUID}&assigned_to=me`, 400, 'assigned_to'],
  ['an unknown report', '/api/reports/nonsense', 404, 'report'],
  ['the report __proto__', '/api/reports/__proto__', 404, 'report'],
  ['an unknown report of a domain', '/api/reports/crm/nonsense', 404, 'report'],
  ['a report path that climbs', '/api/reports/crm/..%2f..%2fetc', 404, 'report'],
  ['a path with malformed percent-encoding', '/api/reports/%zz', 400, 'path'],
  ['an unknown path', '/api/nonsense', 404, 'path'],
  ['an unknown path outside of the API', '/nonsense', 404, 'path'],
  ['a path with two slashes', '//api/reports', 404, 'path'],
  ['jobs of an unclear tenant', `${JOBS}?tenant_id=x`, 400, 'tenant_id'],
  ['unclear activity', `${JOBS}?is_active=yes`, 400, 'is_active'],
  ['a job that is no uuid', `${JOBS}/x`, 404, 'id'],
  ['a job with a NUL', `${JOBS}/%00`, 404, 'id'],
  ['an unknown job', `${JOBS}/${UUID}`, 404, 'id'],
  ['a run that is no uuid', '/api/cron/runs/x', 404, 'id'],
  ['a run with a NUL', '/api/cron/runs/%00', 404, 'id'],
  ['page 0', '/api/cron/runs?page=0', 400, 'page'],
  ['half a page', '/api/cron/runs?page=1.5', 400, 'page'],
  ['a page that is no number', '/api/cron/runs?page=x', 400, 'page'],
  ['a page beyond all numbers', '/api/cron/runs?page=1e300', 400, 'page'],
  ['two pages', '/api/cron/runs?page=1&page=2', 400, 'page'],
  ['no runs on a page', '/api/cron/runs?limit=0', 400, 'limit'],
  ['too many runs on a page', '/api/cron/runs?limit=101', 400, 'limit'],
  ['an unknown status of runs', '/api/cron/runs?status=good', 400, 'status'],
  ['runs of a job that is no uuid', '/api/cron/runs?cron_job_id=x', 400, 'cron_job_id'],
  ['runs of a function with a NUL', '/api/cron/runs?function_name=%00', 400, 'function_name'],
]

test.each(QUERIES)('GET with %s', async (_name, path, status, field) => {
  expect(await problemOf(await send('GET', path))).toMatchObject({ status, field })
})

test('the last page there can be is empty', async () => {
  const path = `/api/cron/runs?page=${Number.MAX_SAFE_INTEGER}&limit=100`
  expect(await (await send('GET', path)).json()).toMatchObject({ data: { runs: [] } })
})

test('a very long URL is answered as long as HTTP allows it, and refused beyond', async () => {
  expect((await send('GET', `/api/reports?x=${'x'.repeat(12_000)}`)).status).toBe(200)
  const answer = await send('GET', `/api/reports?x=${'x'.repeat(20_000)}`)
  expect(answer.status).toBe(431)
  expect(await answer.json()).toMatchObject({ status: 'error', code: 'bad_request' })
})

const BODIES: BodyCase[] = [
  ['invalid JSON', '{"tenant_id": ', 400, 'body'],
  ['a list', '[]', 400, 'body'],
  ['a text', '"x"', 400, 'body'],
  ['null', 'null', 400, 'body'],
  ['a number', '1', 400, 'body'],
  ['a form', 'tenant_id=x', 400, 'body'],
  ['a huge body', JSON.stringify({ x: 'x'.repeat(200_000) }), 413, 'body'],
]
const BODY_ROUTES = [CLEAR, JOBS, EXECUTE]

describe.each(BODY_ROUTES)('POST %s', (path) => {
  test.each(BODIES)('with %s', async (_name, body, status, field) => {
    expect(await problemOf(await send('POST', path, body))).toMatchObject({ status, field })
  })
})

test.each<BodyCase>([
  ['an unknown field', { tenant: UUID }, 400, 'tenant'],
  ['an empty tenant', { tenant_id: '' }, 400, 'tenant_id'],
  ['the tenant null', { tenant_id: 'null' }, 400, 'tenant_id'],
  ['a tenant that is no text', { tenant_id: 42 }, 400, 'tenant_id'],
  ['a pattern for a tenant', { tenant_id: '*' }, 400, 'tenant_id'],
  ['an unknown report', { report: 'crm:nonsense' }, 400, 'report'],
  ['a tenant and a report', { tenant_id: UUID, report: 'crm:dashboard_bundle' }, 400, 'report'],
])('clear-cache with %s', async (_name, body, status, field) => {
  expect(await problemOf(await send('POST', CLEAR, body))).toMatchObject({ status, field })
})

test.each<BodyCase>([
  ['nothing', {}, 400, 'name'],
  ['an empty name', { ...JOB, name: ' ' }, 400, 'name'],
  ['a name with a NUL', { ...JOB, name: 'a\0b' }, 400, 'name'],
  ['no schedule', { ...JOB, schedule: undefined }, 400, 'schedule'],
  ['an impossible schedule', { ...JOB, schedule: 'cron:61 * * * *' }, 400, 'schedule'],
  ['an unknown word for a schedule', { ...JOB, schedule: 'sometimes' }, 400, 'schedule'],
  ['an unknown time zone', { ...JOB, timezone: 'Mars/Olympus' }, 400, 'timezone'],
  ['no function', { ...JOB, function_name: undefined }, 400, 'function_name'],
  ['a tenant that is no uuid', { ...JOB, tenant_id: 'x' }, 400, 'tenant_id'],
  ['an unknown tenant', { ...JOB, tenant_id: UUID }, 400, 'tenant_id'],
  ['a text for metadata', { ...JOB, metadata: 'x' }, 400, 'metadata'],
  ['a name that is too long', { ...JOB, name: 'x'.repeat(201) }, 400, 'name'],
  ['metadata with a NUL', { ...JOB, metadata: { a: ['\0'] } }, 400, 'metadata'],
  ['metadata with half a character', { ...JOB, metadata: { '\ud800': 1 } }, 400, 'metadata'],
  ['metadata as deep as a well', DEEP, 400, 'metadata'],
  ['activity that is a text', { ...JOB, is_active: 'true' }, 400, 'is_active'],
])('a cron job with %s', async (_name, body, status, field) => {
  expect(await problemOf(await send('POST', JOBS, body))).toMatchObject({ status, field })
})

// What is compared letter by letter, or parsed, keeps everybody waiting; what is repeated is sent to nobody's use.
test('what is far too long is refused before it is looked at, and not repeated', async () => {
  const long = 'x'.repeat(90_000)
  for (const [path, field] of [
    [JOBS, 'schedule'],
    [JOBS, 'function_name'],
    [JOBS, 'timezone'],
    [EXECUTE, 'function_name'],
  ] as const) {
    const body = path === JOBS ? { ...JOB, [field]: long } : { [field]: long }
    const problem = await problemOf(await send('POST', path, body))
    expect(problem).toMatchObject({ status: 400, field })
    expect(problem.message.length).toBeLessThan(200)
  }
})

test('a function that is nearly right is suggested', async () => {
  const answer = await send('POST', JOBS, { ...JOB, function_name: 'warmDashboardBundelCache' })
  expect(await problemOf(answer)).toMatchObject({
    status: 400,
    field: 'function_name',
    message: expect.stringContaining('Did you mean "warmDashboardBundleCache"?'),
  })
})

test.each<BodyCase>([
  ['nothing', {}, 400, 'function_name'],
  ['a number', { function_name: 1 }, 400, 'function_name'],
  ['an unknown function', { function_name: 'x' }, 400, 'function_name'],
  ['the function __proto__', { function_name: '__proto__' }, 400, 'function_name'],
  ['a function with a NUL', { function_name: '\0' }, 400, 'function_name'],
  ['an unclear tenant', { ...EXECUTABLE, tenant_id: 'x' }, 400, 'tenant_id'],
  ['an unknown tenant', { ...EXECUTABLE, tenant_id: UUID }, 400, 'tenant_id'],
  ['a misspelled tenant', { ...EXECUTABLE, tenantId: UUID }, 400, 'tenantId'],
])('executing with %s', async (_name, body, status, field) => {
  expect(await problemOf(await send('POST', EXECUTE, body))).toMatchObject({ status, field })
})

test.each(['DELETE', 'PUT', 'PATCH'])('%s of something that has no such method', async (method) => {
  for (const path of [BUNDLE, '/api/reports', '/health', '/api/cron/run']) {
    expect(await problemOf(await send(method, path))).toMatchObject({ status: 404, field: 'path' })
  }
})

const encoded = (encoding: string, body: Uint8Array) =>
  fetch(`${world.url}${CLEAR}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${world.superadmin}`, 'content-encoding': encoding },
    body: Buffer.from(body),
  })

test('a body in an encoding that is unknown or wrong is a bad request', async () => {
  const wrong = { status: 400, field: 'body' }
  expect(await problemOf(await encoded('nonsense', Buffer.from('{}')))).toMatchObject(wrong)
  expect(await problemOf(await encoded('gzip', Buffer.from('{}')))).toMatchObject(wrong)
  expect((await encoded('gzip', gzipSync('{}'))).status).toBe(200)
  const bomb = gzipSync(JSON.stringify({ x: 'x'.repeat(1_000_000) }))
  expect(await problemOf(await encoded('gzip', bomb))).toMatchObject({ status: 413, field: 'body' })
})

test('what is not HTTP is refused in the form of every error', async () => {
  const socket = connect(Number(new URL(world.url).port), '127.0.0.1')
  socket.write('nonsense\r\n\r\n')
  const [answer] = await once(socket, 'data')
  expect(String(answer)).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
  expect(JSON.parse(String(answer).split('\r\n\r\n')[1] ?? '')).toMatchObject({
    status: 'error',
    code: 'bad_request',
  })
  await once(socket, 'close')
})
