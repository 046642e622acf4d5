import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  BUNDLE,
  companiesIn,
  httpWorld,
  problemOf,
  type Caller,
  type HttpWorld,
} from '../test/http-world.ts'

const NOBODY = '00000000-0000-4000-8000-000000000000'
const ROLES = ['superadmin', 'admin', 'member', 'scheduler'] as const

let world: HttpWorld

beforeAll(async () => {
  world = await httpWorld()
})
afterAll(() => world.stop())

type Statuses = Record<Caller, number>

const EVERY_USER = { superadmin: 200, admin: 200, member: 200, scheduler: 403 }
const MANAGERS = { superadmin: 200, admin: 200, member: 403, scheduler: 403 }
/** Of something that does not exist, or that the caller may not see. */
const MANAGERS_IN_VAIN = { superadmin: 404, admin: 404, member: 403, scheduler: 403 }
const JOB = { schedule: 'hourly', function_name: 'warmDashboardBundleCache' }
const EXECUTE = { function_name: 'warmDashboardBundleCache' }

const ROUTES: [method: string, path: string, statuses: Statuses, body?: object][] = [
  ['GET', '/api/reports', EVERY_USER],
  ['GET', `${BUNDLE}?tenant_id=:a`, EVERY_USER],
  ['HEAD', `${BUNDLE}?tenant_id=:a`, EVERY_USER],
  ['GET', '/api/reports/crm/dashboard_bundle?tenant_id=:a', EVERY_USER],
  ['GET', `${BUNDLE}?tenant_id=:b`, { superadmin: 200, admin: 404, member: 404, scheduler: 403 }],
  ['GET', BUNDLE, { superadmin: 200, admin: 400, member: 400, scheduler: 403 }],
  ['POST', '/api/reports/clear-cache', MANAGERS, {}],
  ['GET', '/api/cron/jobs', MANAGERS],
  ['POST', '/api/cron/jobs', { ...MANAGERS, superadmin: 201, admin: 201 }, JOB],
  ['GET', `/api/cron/jobs/${NOBODY}`, MANAGERS_IN_VAIN],
  ['PUT', `/api/cron/jobs/${NOBODY}`, MANAGERS_IN_VAIN, { is_active: false }],
  ['DELETE', `/api/cron/jobs/${NOBODY}`, MANAGERS_IN_VAIN],
  ['POST', `/api/cron/jobs/${NOBODY}/run`, MANAGERS_IN_VAIN],
  ['GET', '/api/cron/runs', MANAGERS],
  ['GET', `/api/cron/runs/${NOBODY}`, MANAGERS_IN_VAIN],
  ['POST', '/api/cron/run', { superadmin: 200, admin: 403, member: 403, scheduler: 200 }],
  ['GET', '/api/admin/jobs', { superadmin: 200, admin: 403, member: 403, scheduler: 403 }],
  ['GET', '/api/admin/jobs/dead', { superadmin: 200, admin: 403, member: 403, scheduler: 403 }],
  ['POST', '/api/cron/execute', { ...MANAGERS, scheduler: 200 }, EXECUTE],
]

const OPEN = [
  '/health',
  '/api/system/health',
  '/livez',
  '/readyz',
  '/api/openapi.json',
  '/api/docs',
]

function ask(method: string, path: string, token?: string, body?: object): Promise<Response> {
  const url = path.replace(':a', world.a.id).replace(':b', world.b.id)
  return fetch(`${world.url}${url}`, {
    method,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
}

/** The body that the route takes; only a cron job has a name. */
function bodyFor(path: string, body: object | undefined): object | undefined {
  return body && path.endsWith('/jobs') ? { ...body, name: randomUUID() } : body
}

describe.each(ROUTES)('%s %s', (method, path, statuses, body) => {
  test.each(ROLES)('answers the %s as it should', async (role) => {
    const answer = await ask(method, path, world.callers[role], bodyFor(path, body))
    expect(answer.status).toBe(statuses[role])
  })

  test('answers nobody without a token', async () => {
    expect((await ask(method, path, undefined, bodyFor(path, body))).status).toBe(401)
  })
})

test.each(OPEN)('%s needs no token', async (path) => {
  expect((await ask('GET', path)).status).toBe(200)
})

test('another tenant is as if it did not exist, whether it exists or not', async () => {
  for (const token of [world.a.tokens.admin, world.a.tokens.member]) {
    const foreign = await problemOf(await world.get(`${BUNDLE}?tenant_id=${world.b.id}`, token))
    const unknown = await problemOf(await world.get(`${BUNDLE}?tenant_id=${NOBODY}`, token))
    expect(foreign).toEqual(unknown)
    expect(foreign).toMatchObject({ status: 404, code: 'not_found', field: 'tenant_id' })
  }
})

test('a superadmin who asks for a tenant that does not exist is told so', async () => {
  const answer = await world.get(`${BUNDLE}?tenant_id=${NOBODY}`, world.superadmin)
  expect(await problemOf(answer)).toMatchObject({ status: 404, field: 'tenant_id' })
})

test('a superadmin who names no tenant sees all of them together', async () => {
  const companies = await companiesIn(await world.get(BUNDLE, world.superadmin))
  expect(companies).toHaveLength(8)
})

const seenBy = async (token: string, drillDown = '') =>
  companiesIn(await world.get(`${BUNDLE}?tenant_id=${world.a.id}${drillDown}`, token))

test('a member sees his own records, those of his teams and those that nobody owns', async () => {
  const { admin, member, teamMember } = world.a.tokens
  expect(await seenBy(admin)).toEqual(['Alpha boss', 'Alpha member', 'Alpha nobody', 'Alpha team'])
  expect(await seenBy(member)).toEqual(['Alpha member', 'Alpha nobody'])
  expect(await seenBy(teamMember)).toEqual(['Alpha nobody', 'Alpha team'])
})

test('a member drills down to what he sees anyway', async () => {
  const { tokens, team, member } = world.a
  expect(await seenBy(tokens.teamMember, `&team_id=${team}`)).toEqual(['Alpha team'])
  expect(await seenBy(tokens.member, `&assigned_to=${member}`)).toEqual(['Alpha member'])
  expect(await seenBy(tokens.teamMember, `&assigned_to=${member}`)).toEqual([])
})

test('a member may not ask for another team or, without a team, for another person', async () => {
  const { tokens, team, teamMember } = world.a
  const path = `${BUNDLE}?tenant_id=${world.a.id}`
  for (const [field, value] of [
    ['team_id', team],
    ['assigned_to', teamMember],
  ]) {
    const answer = await world.get(`${path}&${field}=${value}`, tokens.member)
    expect(await problemOf(answer)).toMatchObject({ status: 403, code: 'forbidden', field })
  }
})

test('an admin drills down to any team and person of his tenant', async () => {
  const { tokens, team, member } = world.a
  expect(await seenBy(tokens.admin, `&team_id=${team}`)).toEqual(['Alpha team'])
  expect(await seenBy(tokens.admin, `&assigned_to=${member}`)).toEqual(['Alpha member'])
  expect(await seenBy(tokens.admin, `&assigned_to=${world.b.member}`)).toEqual([])
})

test('there is no drill-down without a tenant', async () => {
  const answer = await world.get(`${BUNDLE}?team_id=${world.a.team}`, world.superadmin)
  expect(await problemOf(answer)).toMatchObject({ status: 400, field: 'team_id' })
})
