import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { Report } from '../engine/domain.ts'
import type { TestApp } from '../test/app.ts'
import { problemOf } from '../test/http-world.ts'
import { probe, type Probe } from '../test/probe.ts'

const PATH = '/api/shop/summary'
const BARE: Partial<Report> = {
  path: PATH,
  isBare: true,
  isForMembers: true,
  tenantParam: 'workspace_id',
}

let world: Probe
let app: TestApp
let mine: string
let theirs: string
let superadmin: string
let admin: string
let member: string

beforeAll(async () => {
  world = await probe({ report: BARE })
  // Long enough for the hit path.
  app = await world.app({ settings: { localTrustMs: 1000 } })
  superadmin = await app.token()
})
afterAll(() => world.end())
beforeEach(async () => {
  const [a = '', b = ''] = await world.tenants(2)
  mine = a
  theirs = b
  admin = await app.token({ role: 'admin', tenantId: mine })
  member = await app.token({ subject: theirs, role: 'member', tenantId: mine })
  await world.say(mine, 'mine')
  await world.say(theirs, 'theirs')
})

async function read(path: string, token: string) {
  const response = await app.get(path, token)
  return { cache: response.headers.get('x-cache'), body: await response.text() }
}

test('under its own path a bare report is its data alone, from the first answer to the hit path', async () => {
  const first = await read(PATH, admin)
  expect(first.cache).toBe('MISS')
  expect(JSON.parse(first.body)).toEqual({ computation: expect.any(Number), word: 'mine' })
  const whole = vi.spyOn(app.engine.reports, 'read')
  for (let i = 0; i < 3; i += 1) {
    expect(await read(PATH, admin)).toEqual({ cache: 'HIT', body: first.body })
  }
  expect(whole).toHaveBeenCalledTimes(1)
  whole.mockRestore()
})

test('the same entry is answered in the envelope under the path that all reports have', async () => {
  const { body } = await read(PATH, admin)
  const generic = await read(`/api/reports/probe/counted?tenant_id=${mine}`, admin)
  expect(generic).toEqual({
    cache: 'HIT',
    body: `{"status":"success","data":${body},"cached":true}`,
  })
  expect(await read(PATH, admin)).toEqual({ cache: 'HIT', body })
})

test('HEAD, ETag and If-None-Match mean what they mean everywhere', async () => {
  const response = await app.get(PATH, admin)
  const etag = response.headers.get('etag') ?? ''
  const known = await app.get(PATH, admin, { 'if-none-match': etag })
  expect([known.status, await known.text()]).toEqual([304, ''])
  const headers = { authorization: `Bearer ${admin}` }
  const head = await fetch(`${app.url}${PATH}`, { method: 'HEAD', headers })
  const names = ['age', 'cache-status', 'content-length', 'server-timing', 'ratelimit']
  expect(names.filter((name) => !head.headers.has(name))).toEqual([])
  expect(head.headers.get('x-cache')).toBe('HIT')
  expect(Number(head.headers.get('content-length'))).toBe((await response.text()).length)
})

test('the tenant is that of the token, unless another one is asked for', async () => {
  expect((await read(PATH, admin)).body).toContain('mine')
  expect((await read(PATH, member)).body).toContain('mine')
  expect((await read(`${PATH}?workspace_id=${mine}`, admin)).body).toContain('mine')
  expect((await read(`${PATH}?tenant_id=${theirs}`, superadmin)).body).toContain('theirs')
  expect((await read(`${PATH}?workspace_id=${theirs}`, superadmin)).body).toContain('theirs')
  const bound = await app.token({ tenantId: theirs })
  expect((await read(PATH, bound)).body).toContain('theirs')
})

test('at the one URL everybody gets his own, also on the hit path', async () => {
  const other = await app.token({ role: 'admin', tenantId: theirs })
  for (let i = 0; i < 4; i += 1) {
    const [a, b, c] = [await read(PATH, admin), await read(PATH, other), await read(PATH, member)]
    expect([a.body, b.body, c.body].map((body) => JSON.parse(body))).toMatchObject([
      { word: 'mine' },
      { word: 'theirs' },
      { word: 'mine' },
    ])
  }
})

test.each([
  ['a superadmin without a tenant', 'superadmin', '', 400],
  ['an admin of another tenant', 'admin', '?workspace_id=THEIRS', 404],
  ['a member of another tenant', 'member', '?tenant_id=THEIRS', 404],
  ['an empty tenant', 'admin', '?workspace_id=', 400],
  ['a tenant that is none', 'admin', '?workspace_id=42', 400],
  ['two tenants', 'superadmin', '?workspace_id=MINE&tenant_id=THEIRS', 400],
] as const)('%s is refused, and the parameter is named', async (_name, role, query, status) => {
  const token = { superadmin, admin, member }[role]
  const whole = query.replace('MINE', mine).replace('THEIRS', theirs)
  const problem = await problemOf(await app.get(`${PATH}${whole}`, token))
  expect(problem).toMatchObject({ status, field: 'workspace_id' })
})

test('members read what is for them, and nobody reads without a token', async () => {
  const list = await (await app.get('/api/reports', member)).json()
  expect(list).toMatchObject({ data: { total: 1, reports: [{ own_path: PATH }] } })
  expect((await app.get(PATH)).status).toBe(401)
  const other = await probe({ report: { path: PATH } })
  const closed = await other.app()
  const [tenantId = ''] = await other.tenants(1)
  const token = await closed.token({ subject: mine, role: 'member', tenantId })
  expect(await problemOf(await closed.get(PATH, token))).toMatchObject({ status: 403 })
  expect(await (await closed.get('/api/reports', token)).json()).toMatchObject({
    data: { total: 0 },
  })
  await other.end()
})

test('a report that is not bare keeps its envelope and its meta under its own path', async () => {
  const other = await probe({ report: { path: PATH } })
  const plain = await other.app()
  const [tenantId = ''] = await other.tenants(1)
  const answer = await plain.get(PATH, await plain.token({ role: 'admin', tenantId }))
  expect(await answer.json()).toMatchObject({
    status: 'success',
    data: { word: 'hello', meta: { tenant_id: tenantId } },
    cached: false,
  })
  await other.end()
})

test('what is asked for with profile or bust_cache is bare as well', async () => {
  await read(PATH, admin)
  const { cache, body } = await read(`${PATH}?bust_cache=true&profile=true`, admin)
  expect(cache).toBe('BYPASS')
  expect(JSON.parse(body)).toEqual({ computation: expect.any(Number), word: 'mine' })
})

test('an error under the path has the form of every error', async () => {
  await world.make(mine, 'fail')
  expect(await problemOf(await app.get(PATH, admin))).toMatchObject({
    status: 503,
    code: 'report_failed',
  })
})

test('the description says that the answer is a plain object', async () => {
  const described = JSON.stringify(await (await app.get('/api/openapi.json')).json())
  expect(described).toContain(`"${PATH}":{"get":`)
  expect(described).toContain('#/components/schemas/BareAnswer')
})
