import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { newAggregate, type Aggregate, type Asked } from './aggregates.ts'
import { NOW, on, times, workspaceWith, type Rows } from './test-rows.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

const aggregateFor = (rows: Rows, asked?: Asked): Promise<Aggregate> =>
  newAggregate(database.db, rows, { now: NOW, ...asked })

describe('which days', () => {
  it('the period before is as long, and directly before', async () => {
    const { summary } = await aggregateFor(
      {
        email_events: [
          { ...on('2026-04-30') },
          ...times(4, on('2026-05-01')),
          { event_type: 'replied', ...on('2026-05-03') },
          ...times(5, on('2026-05-04')),
          { event_type: 'replied', ...on('2026-05-06') },
          { event_type: 'opt_out', ...on('2026-05-06') },
          ...times(2, on('2026-05-07')),
        ],
      },
      { start: '2026-05-04', end: '2026-05-06' },
    )
    expect(summary).toMatchObject({ sends: 5, prev_sends: 4, sends_change_pct: 25 })
    expect(summary).toMatchObject({ reply_rate_pct: 20, prev_reply_rate_pct: 25 })
    expect(summary).toMatchObject({ reply_rate_change_pp: -5, opt_out_rate_change_pp: 20 })
  })

  it.each([
    [{ start: '2026-05-08' }, '2026-05-08', '2026-05-10'],
    [{ start: '2026-06-01' }, '2026-06-01', '2026-06-01'],
    [{ start: '2020-01-01' }, '2020-01-01', '2020-12-31'],
    [{ end: '2026-02-28' }, '2026-01-30', '2026-02-28'],
    [{ start: '2024-02-29', end: '2024-02-29' }, '2024-02-29', '2024-02-29'],
  ])('asked for %o it is from %s to %s', async (question, start, end) => {
    const { dateRange, timeseries } = await aggregateFor({}, question)
    expect(dateRange).toEqual({ start, end })
    expect([timeseries.sends[0]?.day, timeseries.sends.at(-1)?.day]).toEqual([start, end])
  })

  // [zone, the first instant of the 10th of May there, that of the 11th]
  it.each([
    ['America/Los_Angeles', '2026-05-10T07:00:00.000Z', '2026-05-11T07:00:00.000Z'],
    ['Asia/Kathmandu', '2026-05-09T18:15:00.000Z', '2026-05-10T18:15:00.000Z'],
    ['Pacific/Kiritimati', '2026-05-09T10:00:00.000Z', '2026-05-10T10:00:00.000Z'],
    ['UTC', '2026-05-10T00:00:00.000Z', '2026-05-11T00:00:00.000Z'],
  ])('in %s the tenth begins at %s and ends before %s', async (timezone, since, until) => {
    const instants = [since, until].flatMap((time) => [Date.parse(time) - 1, Date.parse(time)])
    const events = instants.map((time) => ({ event_ts: new Date(time).toISOString() }))
    const usages = events.map(({ event_ts }) => ({ created_at: event_ts }))
    const aggregate = await aggregateFor(
      { email_events: events, llm_usage: usages },
      { timezone, start: '2026-05-10', end: '2026-05-10' },
    )
    expect(aggregate.summary).toMatchObject({ sends: 2, prev_sends: 1, cost_usd: 0.02 })
  })

  it('a view does not depend on the session’s time zone', async () => {
    const { db } = database
    const { id } = await workspaceWith(
      db,
      { email_events: [{ event_ts: '2026-05-10T23:30:00Z' }] },
      'UTC',
    )
    await db.session(async (session) => {
      await session.query("set timezone = 'Asia/Tokyo'")
      await session.query('select * from refresh_dashboard_views()')
    })
    expect(
      await db.query('select day::text from mv_daily_stats where workspace_id = $1', [id]),
    ).toEqual([{ day: '2026-05-10' }])
  })
})
