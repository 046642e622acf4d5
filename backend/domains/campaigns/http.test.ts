// The dashboard as a browser and a platform's scheduler ask for it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { httpWorld, problemOf, type HttpWorld } from '../../test/http-world.ts'
import { Aggregate } from './aggregates.ts'
import { refreshViews } from './test-rows.ts'

const [AGGREGATE, REFRESH] = ['/api/dashboard/aggregate', '/api/admin/refresh-views']
const REFRESH_TOKEN = 'the-token-of-the-scheduler-of-the-campaigns'

let world: HttpWorld

beforeAll(async () => {
  world = await httpWorld({ refreshToken: REFRESH_TOKEN })
  for (const [workspace, mails] of [
    [world.a, 3],
    [world.b, 5],
  ] as const)
    await send(workspace.id, mails)
  await refreshViews(world.db)
})
afterAll(() => world.stop())

async function send(workspaceId: string, mails: number): Promise<void> {
  await world.db.query(
    `insert into campaigns.email_events (workspace_id, contact_email, campaign_name, event_type)
     select $1, n || '@example.com', 'Spring', 'sent' from generate_series(1, $2::integer) n`,
    [workspaceId, mails],
  )
}

async function sends(query: string, token: string): Promise<number> {
  const response = await world.get(`${AGGREGATE}${query}`, token)
  return Aggregate.parse(await response.json()).summary.sends
}

describe('who may see it', () => {
  it('members and admins see their own workspace, and superadmins the one that they name', async () => {
    const { a, b, superadmin } = world
    for (const token of [a.tokens.admin, a.tokens.member, a.tokens.teamMember]) {
      expect(await sends('', token)).toBe(3)
      expect(await sends(`?workspace_id=${a.id}`, token)).toBe(3)
    }
    expect(await sends('', b.tokens.member)).toBe(5)
    expect(await sends(`?workspace_id=${b.id}`, superadmin)).toBe(5)
  })

  it('another workspace is not there, and nothing is without a token', async () => {
    const { a, b } = world
    for (const token of [a.tokens.admin, a.tokens.member]) {
      const response = await world.get(`${AGGREGATE}?workspace_id=${b.id}`, token)
      expect(response.status).toBe(404)
    }
    expect((await world.get(AGGREGATE)).status).toBe(401)
  })
})

describe('what is asked', () => {
  it.each([
    ['start=2026-05-02&end=2026-05-01', 'start'],
    ['start=2025-01-01&end=2026-01-02', 'end'],
    ['start=yesterday', 'start'],
    ['start=2026-02-30', 'start'],
    ['end=0000-01-01', 'end'],
    ['start=2026-05-01&start=2026-05-02', 'start'],
    [`campaign=${'x'.repeat(201)}`, 'campaign'],
    ['provider=a%00b', 'provider'],
  ])('%s is refused, naming %s', async (query, field) => {
    const response = await world.get(`${AGGREGATE}?${query}`, world.a.tokens.member)
    expect(await problemOf(response)).toMatchObject({ status: 400, field })
  })

  it('a whole leap year is answered, and each range is an answer of its own', async () => {
    const token = world.a.tokens.member
    const year = await world.get(`${AGGREGATE}?start=2024-01-01&end=2024-12-31`, token)
    const { timeseries, summary } = Aggregate.parse(await year.json())
    expect(timeseries.sends).toHaveLength(366)
    expect(summary.sends).toBe(0)
    expect(await sends('?campaign=Spring', token)).toBe(3)
    expect(await sends('?campaign=spring', token)).toBe(0)
    expect(await sends('?campaign=&start=', token)).toBe(3)
  })

  it('a broken view is an error, never zeros', async () => {
    const { db } = world
    await db.query('alter materialized view campaigns.mv_leads rename to mv_gone')
    try {
      const response = await world.get(`${AGGREGATE}?campaign=Broken`, world.a.tokens.member)
      expect(await problemOf(response)).toMatchObject({ status: 503, code: 'report_failed' })
    } finally {
      await db.query('alter materialized view campaigns.mv_gone rename to mv_leads')
    }
    expect(await sends('?campaign=Broken', world.a.tokens.member)).toBe(0)
  })
})

const Freshness = z.object({
  view_name: z.string(),
  last_refreshed: z.iso.datetime({ offset: true }),
  age_seconds: z.number(),
})
const Refreshed = z.object({
  success: z.literal(true),
  refreshed_at: z.string(),
  duration_ms: z.number(),
  views: z.array(z.object({ view_name: z.string(), status: z.literal('refreshed') })),
  freshness: z.array(Freshness),
})

describe('the refreshing by hand', () => {
  it('a POST with the token of the document refreshes every view of the dashboard', async () => {
    await send(world.a.id, 2)
    const refresh = await fetch(`${world.url}${REFRESH}`, {
      method: 'POST',
      headers: { 'x-refresh-token': REFRESH_TOKEN },
    })
    expect(refresh.status).toBe(200)
    const { views, freshness } = Refreshed.parse(await refresh.json())
    expect(views).toHaveLength(7)
    expect(freshness).toHaveLength(7)
    const query = '?bust_cache=true'
    expect(await sends(query, world.a.tokens.member)).toBe(5)
  })

  it('a wrong token or none refreshes nothing', async () => {
    for (const headers of [{}, { 'x-refresh-token': `${REFRESH_TOKEN}x` }]) {
      const response = await fetch(`${world.url}${REFRESH}`, { method: 'POST', headers })
      expect(response.status).toBe(401)
    }
  })

  it('a GET tells how fresh the views are', async () => {
    const headers = { 'x-refresh-token': REFRESH_TOKEN }
    const response = await fetch(`${world.url}${REFRESH}`, { headers })
    const Answer = z.object({ success: z.literal(true), views: z.array(Freshness) })
    expect(Answer.parse(await response.json()).views.map(({ view_name }) => view_name)).toContain(
      'mv_llm_cost',
    )
  })
})
