import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { httpWorld, problemOf, type HttpWorld } from '../test/http-world.ts'

const NOBODY = '00000000-0000-4000-8000-000000000000'

let world: HttpWorld
beforeAll(async () => {
  world = await httpWorld()
})
beforeEach(() => world.db.query('truncate alert_incidents cascade'))
afterAll(() => world.stop())

const Alert = z.looseObject({ id: z.string(), subject: z.string(), status: z.string() })
const Alerts = z.object({
  status: z.literal('success'),
  data: z.object({
    alerts: z.array(Alert),
    total: z.number(),
    page: z.number(),
    pageSize: z.number(),
  }),
})

/** Incidents of views called 1, 2, …, the last of which was opened last. */
async function incidents(count: number): Promise<string[]> {
  const rows = await world.db.query<{ id: string }>(
    `insert into alert_incidents (kind, subject, severity, message, occurrences, cause_at, opened_at, last_seen_at)
     select 'view_failing', n, 'error', 'It fails.', 4, time, time, time
     from generate_series(1, $1::integer) n, make_timestamptz(2026, 1, 10, 12, n, 0) time returning id`,
    [count],
  )
  return rows.map(({ id }) => id)
}

async function listed(query = ''): Promise<z.output<typeof Alerts>['data']> {
  const answer = await world.get(`/api/admin/alerts${query}`, world.superadmin)
  return Alerts.parse(await answer.json()).data
}

describe('GET /api/admin/alerts', () => {
  test('lists the newest first, in pages', async () => {
    await incidents(3)
    const { alerts, ...rest } = await listed('?limit=2&page=1')
    expect(alerts.map(({ subject }) => subject)).toEqual(['3', '2'])
    expect(rest).toEqual({ total: 3, page: 1, pageSize: 2 })
    const second = await listed('?limit=2&page=2')
    expect(second.alerts.map(({ subject }) => subject)).toEqual(['1'])
  })

  test('lists those of one status', async () => {
    const [first = ''] = await incidents(2)
    await world.post(`/api/admin/alerts/${first}/acknowledge`, {}, world.superadmin)
    expect((await listed('?status=acknowledged')).alerts.map(({ id }) => id)).toEqual([first])
    expect(await listed('?status=resolved')).toMatchObject({ alerts: [], total: 0 })
  })

  test.each(['status=closed', 'page=0', 'limit=101'])('with %s is a 400', async (query) => {
    const answer = await world.get(`/api/admin/alerts?${query}`, world.superadmin)
    expect(await problemOf(answer)).toMatchObject({ status: 400, field: query.split('=')[0] })
  })
})

describe.each([
  ['acknowledge', 'acknowledged'],
  ['resolve', 'resolved'],
  ['suppress', 'suppressed'],
])('POST /api/admin/alerts/:id/%s', (action, status) => {
  const post = (id: string, token = world.superadmin) =>
    world.post(`/api/admin/alerts/${id}/${action}`, {}, token)

  test('answers with the alert, which says who did it', async () => {
    const [id = ''] = await incidents(1)
    const answer = await post(id)
    expect([answer.status, await answer.json()]).toMatchObject([
      200,
      { status: 'success', data: { alert: { id, status, [`${status}_by`]: 'tester' } } },
    ])
  })

  test('a second time is a 409 that names the status', async () => {
    const [id = ''] = await incidents(1)
    await post(id)
    const problem = await problemOf(await post(id))
    expect(problem).toMatchObject({ status: 409, code: 'conflict', field: 'status' })
    expect(problem.message).toBe(`The alert is ${status}, so it cannot be ${status}.`)
  })

  test('of what does not exist is a 404', async () => {
    expect(await problemOf(await post(NOBODY))).toMatchObject({ status: 404, field: 'id' })
  })

  test.each(['nonsense', '1', '%00'])('of the id %s is a 400', async (id) => {
    expect(await problemOf(await post(id))).toMatchObject({ status: 400, field: 'id' })
  })

  test('is for superadmins, and so is the list', async () => {
    const [id = ''] = await incidents(1)
    for (const token of [world.a.tokens.admin, world.a.tokens.member, world.callers.scheduler]) {
      expect((await post(id, token)).status).toBe(403)
      expect((await world.get('/api/admin/alerts', token)).status).toBe(403)
    }
    expect((await world.post(`/api/admin/alerts/${id}/${action}`, {})).status).toBe(401)
  })
})
