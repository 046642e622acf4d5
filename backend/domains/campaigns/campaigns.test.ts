import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { aggregateOf, newAggregate, type Aggregate, type Asked } from './aggregates.ts'
import { NOW, on, refreshViews, times, workspaceWith, type Rows } from './test-rows.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

const aggregateFor = (rows: Rows, asked?: Asked): Promise<Aggregate> =>
  newAggregate(database.db, rows, { now: NOW, ...asked })

function valueOn(series: { day: string; value: number }[], wanted: string): number[] {
  return series.filter(({ day }) => day === wanted).map(({ value }) => value)
}

describe('what is counted', () => {
  it('a workspace without any data has zeros, every day, three steps and empty lists', async () => {
    const aggregate = await aggregateFor({})
    expect(new Set(Object.values(aggregate.summary))).toEqual(new Set([0]))
    for (const series of Object.values(aggregate.timeseries)) {
      expect(series).toHaveLength(30)
      expect(series.every(({ value }) => value === 0)).toBe(true)
    }
    expect(aggregate.costBreakdown).toMatchObject({ by_provider: [], by_model: [] })
    expect(aggregate.stepBreakdown.steps).toEqual(
      [1, 2, 3].map((step) => ({ step, name: `Email ${step}`, sends: 0, lastSentAt: null })),
    )
    expect(aggregate.stepBreakdown).toMatchObject({ uniqueContacts: 0, totalLeads: 0 })
    expect(aggregate.campaigns).toEqual({ list: [], stats: [] })
    expect(aggregate.dateRange).toEqual({ start: '2026-04-11', end: '2026-05-10' })
  })

  it('events of each kind are counted, deliveries are no sends, and rates have two decimals', async () => {
    const { summary } = await aggregateFor({
      email_events: [
        ...times(7, { event_type: 'sent' } as const),
        ...times(6, { event_type: 'delivered' } as const),
        ...times(3, { event_type: 'opened' } as const),
        ...times(2, { event_type: 'clicked' } as const),
        { event_type: 'replied' },
        { event_type: 'bounced' },
        { event_type: 'opt_out' },
      ],
    })
    expect(summary).toMatchObject({ sends: 7, opens: 3, clicks: 2 })
    expect(summary).toMatchObject({ replies: 1, bounces: 1, opt_outs: 1 })
    expect(summary).toMatchObject({ reply_rate_pct: 14.29, open_rate_pct: 42.86 })
    expect(summary).toMatchObject({ click_rate_pct: 28.57, bounce_rate_pct: 14.29 })
  })

  it('tests are left out of everything, and an event that does not say is real', async () => {
    const tests = [true, false, null].map((is_test) => ({ is_test, contact_email: `${is_test}@x` }))
    const { summary, stepBreakdown } = await aggregateFor({
      email_events: tests,
      leads: tests.map(({ is_test }) => ({ is_test })),
    })
    expect(summary.sends).toBe(2)
    expect(stepBreakdown).toMatchObject({ totalSends: 2, uniqueContacts: 2, totalLeads: 2 })
  })

  it('several campaigns on a day are added up, each day is there once, and nothing multiplies', async () => {
    const campaigns = ['Spring', 'Fair', 'Win back']
    const aggregate = await aggregateFor({
      email_events: campaigns.flatMap((campaign_name) =>
        times(2, { campaign_name, ...on('2026-05-08') }),
      ),
      llm_usage: campaigns.flatMap((campaign_name) =>
        times(3, { campaign_name, created_at: '2026-05-08T09:00:00Z' }),
      ),
    })
    const { timeseries, stepBreakdown, costBreakdown } = aggregate
    expect(valueOn(timeseries.sends, '2026-05-08')).toEqual([6])
    expect(new Set(timeseries.sends.map(({ day }) => day)).size).toBe(30)
    expect(stepBreakdown.dailySends.filter(({ count }) => count > 0)).toEqual([
      { date: '2026-05-08', count: 6 },
    ])
    expect(stepBreakdown.dailySends).toHaveLength(30)
    expect(valueOn(costBreakdown.daily, '2026-05-08')).toEqual([0.09])
    expect(aggregate.campaigns.stats).toHaveLength(3)
    expect(aggregate.campaigns.stats[0]).toMatchObject({ sends: 2, cost_usd: 0.03 })
  })

  it('a contact of several days, campaigns and spellings is one', async () => {
    const workspace = await workspaceWith(database.db, {
      email_events: [
        { contact_email: 'Ada@example.com', ...on('2026-03-01') },
        { contact_email: 'ada@example.com', ...on('2026-05-01') },
        { contact_email: 'ADA@EXAMPLE.COM', ...on('2026-05-03'), campaign_name: 'Fair' },
        { contact_email: 'ada@example.com', ...on('2026-05-03') },
        { contact_email: 'bob@example.com', ...on('2026-05-03'), campaign_name: 'Fair' },
      ],
    })
    await refreshViews(database.db)
    const contacts = async (question: Asked): Promise<number> => {
      const answer = await aggregateOf(database.db, workspace.id, { now: NOW, ...question })
      return answer.stepBreakdown.uniqueContacts
    }
    expect(await contacts({})).toBe(2)
    expect(await contacts({ start: '2026-01-01' })).toBe(2)
    expect(await contacts({ start: '2026-05-01', end: '2026-05-02' })).toBe(1)
    expect(await contacts({ campaign: 'Spring' })).toBe(1)
    expect(await contacts({ campaign: 'Fair' })).toBe(2)
    expect(await contacts({ start: '2026-05-02', campaign: 'Spring' })).toBe(1)
    expect(await contacts({ start: '2026-04-01', end: '2026-04-30' })).toBe(0)
  })

  it('steps come from either column, and a mail without one is the first', async () => {
    const { stepBreakdown } = await aggregateFor({
      email_events: [
        { step: 5, ...on('2026-05-07') },
        { email_number: 2, ...on('2026-05-04') },
        { email_number: 2, ...on('2026-05-06') },
        { step: 3, email_number: 2, ...on('2026-05-05') },
        { ...on('2026-05-03') },
        { step: 2, event_type: 'opened', ...on('2026-05-09') },
      ],
    })
    const steps = stepBreakdown.steps.map(({ step, sends, lastSentAt }) => [
      step,
      sends,
      lastSentAt?.slice(0, 10),
    ])
    expect(steps).toEqual([
      [1, 1, '2026-05-03'],
      [2, 2, '2026-05-06'],
      [3, 1, '2026-05-05'],
      [5, 1, '2026-05-07'],
    ])
    expect(stepBreakdown.totalSends).toBe(5)
  })
})

describe('what it cost', () => {
  it('models keep their colons, and what is not said is unknown', async () => {
    const { costBreakdown, campaigns } = await aggregateFor({
      llm_usage: [
        { provider: 'openai', model: 'ft:gpt-4o:acme:v2', cost_usd: '0.000003' },
        { provider: 'openai', model: 'ft:gpt-4o:other', cost_usd: '0.000002' },
        { provider: null, model: '', cost_usd: '9.999999', tokens_in: null, tokens_out: null },
      ],
    })
    const models = costBreakdown.by_model.map(({ provider, model, cost_usd }) => [
      provider,
      model,
      cost_usd,
    ])
    expect(models).toEqual([
      ['unknown', 'unknown', 9.999999],
      ['openai', 'ft:gpt-4o:acme:v2', 0.000003],
      ['openai', 'ft:gpt-4o:other', 0.000002],
    ])
    expect(costBreakdown.by_provider.map(({ provider }) => provider)).toEqual(['unknown', 'openai'])
    expect(costBreakdown.total).toEqual({
      cost_usd: 10.000004,
      tokens_in: 200,
      tokens_out: 20,
      calls: 3,
    })
    expect(campaigns.stats).toMatchObject([{ campaign: 'Unknown', cost_usd: 10.000004 }])
  })

  it('costs belong to their campaign, and the provider narrows costs only', async () => {
    const rows: Rows = {
      email_events: [{}, { event_type: 'replied' }, { event_type: 'replied' }],
      llm_usage: [
        { campaign_name: 'Spring', cost_usd: '3' },
        { campaign_name: 'Spring', cost_usd: '4', provider: 'anthropic' },
        { campaign_name: 'Fair', cost_usd: '5' },
        { campaign_name: null, cost_usd: '6' },
      ],
    }
    const spring = await aggregateFor(rows, { campaign: 'Spring' })
    expect(spring.summary).toMatchObject({ cost_usd: 7, sends: 1 })
    expect(spring.campaigns.stats).toMatchObject([{ campaign: 'Spring', cost_per_reply: 3.5 }])
    expect(spring.campaigns.list.map(({ name }) => name)).toEqual(['Fair', 'Spring', 'Unknown'])
    const anthropic = await aggregateFor(rows, { provider: 'anthropic' })
    expect(anthropic.summary).toMatchObject({ cost_usd: 4, sends: 1, replies: 2 })
    const unknown = await aggregateFor(rows, { campaign: 'Unknown' })
    expect(unknown.summary).toMatchObject({ cost_usd: 6, sends: 0 })
  })

  it('an answer of the view is the sum of the calls, and a call without a campaign is in none', async () => {
    const { id } = await workspaceWith(database.db, {
      llm_usage: [
        { campaign_name: 'Spring' },
        { campaign_name: 'Fair', cost_usd: '0.03' },
        { campaign_name: null },
      ],
    })
    await refreshViews(database.db)
    expect(
      await database.db.query('select * from mv_llm_cost where workspace_id = $1', [id]),
    ).toMatchObject([
      {
        provider: 'openai',
        total_cost: '0.050000',
        total_tokens_in: '300',
        call_count: 3,
        avg_cost_per_call: '0.016667',
        campaigns_used: 2,
      },
    ])
  })
})
