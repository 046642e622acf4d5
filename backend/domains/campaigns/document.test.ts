// The statements that the document prints, as they are printed.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { workspaceWith } from './test-rows.ts'

const VIEWS = [
  'mv_daily_stats',
  'mv_llm_cost',
  'mv_llm_cost_by_campaign',
  'mv_step_sends',
  'mv_contacts',
  'mv_contacts_by_campaign',
  'mv_leads',
]

let database: TestDatabase

beforeAll(async () => {
  database = await testDatabase()
  await workspaceWith(database.db, {
    email_events: ['2025-10-31', '2025-11-01', '2025-11-20', '2025-12-06'].map((day) => ({
      event_ts: `${day}T10:00:00Z`,
    })),
    llm_usage: [{}],
    leads: [{}],
  })
})
afterAll(() => database.drop())

it('SELECT refresh_dashboard_views(); refreshes each view and says so', async () => {
  const rows = await database.db.query<{ refresh_dashboard_views: string }>(
    'SELECT refresh_dashboard_views();',
  )
  const said = rows.map((row) => row.refresh_dashboard_views)
  expect(said).toHaveLength(VIEWS.length)
  for (const [i, view] of VIEWS.entries()) expect(said[i]).toMatch(`(${view},refreshed,`)
  expect(
    await database.db.query('select status from job_runs where kind = $1', ['refresh']),
  ).toEqual(VIEWS.map(() => ({ status: 'success' })))
})

it('SELECT * FROM get_view_freshness(); prints the three columns, none of them null', async () => {
  const rows = await database.db.query('SELECT * FROM get_view_freshness();')
  const ours = rows.filter(({ view_name }) => VIEWS.includes(String(view_name)))
  expect(ours).toHaveLength(VIEWS.length)
  for (const row of ours) {
    expect(Object.keys(row)).toEqual(['view_name', 'last_refreshed', 'age_seconds'])
    expect(row['last_refreshed']).toBeInstanceOf(Date)
    expect(row['age_seconds']).toBeGreaterThanOrEqual(0)
  }
})

it('the queries before and after are explained, and agree', async () => {
  const before = `SELECT COUNT(*) FROM email_events
WHERE event_ts >= '2025-11-01' AND event_ts <= '2025-12-07';`
  const after = `SELECT SUM(sends) FROM mv_daily_stats
WHERE day >= '2025-11-01' AND day <= '2025-12-07';`
  for (const query of [before, after]) {
    const plan = await database.db.query(`EXPLAIN ANALYZE\n${query}`)
    expect(JSON.stringify(plan.at(-1))).toContain('Execution Time')
  }
  expect(await database.db.query(before)).toEqual([{ count: '3' }])
  expect(await database.db.query(after)).toEqual([{ sum: '3' }])
})

// What `\d+ mv_daily_stats` shows in psql.
async function columnsOf(view: string): Promise<string[]> {
  const rows = await database.db.query<{ attname: string }>(
    `select attname from pg_attribute where attrelid = $1::regclass and attnum > 0 order by attnum`,
    [view],
  )
  return rows.map(({ attname }) => attname)
}

it('the views have the columns of the document, and no time of their own', async () => {
  expect(await columnsOf('mv_daily_stats')).toEqual([
    'workspace_id',
    'day',
    'campaign_name',
    'sends',
    'delivered',
    'opens',
    'clicks',
    'replies',
    'bounces',
    'opt_outs',
    'unique_contacts',
    'email_1_sends',
    'email_2_sends',
    'email_3_sends',
  ])
  expect(await columnsOf('mv_llm_cost')).toEqual([
    'workspace_id',
    'day',
    'provider',
    'model',
    'total_cost',
    'total_tokens_in',
    'total_tokens_out',
    'call_count',
    'avg_cost_per_call',
    'campaigns_used',
  ])
})

it('there are more than ten indexes for dates, campaigns and workspaces', async () => {
  const indexes = await database.db.query<{ indexdef: string }>(
    `select indexdef from pg_indexes
     where schemaname = 'campaigns'
       and tablename in ('email_events', 'llm_usage', 'mv_daily_stats', 'mv_llm_cost')
       and indexdef not like '%UNIQUE%'`,
  )
  expect(indexes.length).toBeGreaterThan(10)
  for (const what of [
    '(event_ts)',
    '(workspace_id, event_ts)',
    '(workspace_id, campaign_name',
    '(day)',
  ])
    expect(indexes.some(({ indexdef }) => indexdef.includes(what))).toBe(true)
})

it('a second refresh of the same data leaves every row as it is', async () => {
  const rows = (): Promise<object[]> =>
    database.db.query('select xmin::text, ctid::text from mv_daily_stats order by 1, 2')
  const before = await rows()
  await database.db.query('SELECT refresh_dashboard_views();')
  expect(await rows()).toEqual(before)
})
