import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { bundleOf, bundleTexts, type Bundle } from './bundles.ts'
import { tenantWith, type Rows } from './test-rows.ts'

const NOW = '2026-05-10T12:00:00.000Z'

let database: TestDatabase

beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

/** The bundle of a new tenant that has only these rows. */
async function bundleFor(
  rows: Rows,
  question: Partial<Parameters<typeof bundleOf>[2]> & { timezone?: string } = {},
): Promise<Bundle> {
  const { timezone, ...rest } = question
  const tenant = await tenantWith(database.db, rows, timezone)
  return bundleOf(database.db, tenant.id, { now: NOW, ...rest })
}

function justBefore(time: string): string {
  return new Date(Date.parse(time) - 1).toISOString()
}

function times<Row>(count: number, row: Row): Row[] {
  return Array.from({ length: count }, () => row)
}

describe('what is counted', () => {
  it('a tenant without any data has zeros, empty lists and an empty chart', async () => {
    const bundle = await bundleFor({})
    expect(bundle.stats).toEqual({
      totalContacts: 0,
      totalAccounts: 0,
      totalLeads: 0,
      totalOpportunities: 0,
      openLeads: 0,
      wonOpportunities: 0,
      openOpportunities: 0,
      newLeadsLast30Days: 0,
      activitiesLast30Days: 0,
      pipelineValue: 0,
      wonValue: 0,
      leadsBySource: {},
    })
    expect(bundle.lists).toEqual({ recentActivities: [], recentLeads: [], recentOpportunities: [] })
    const { tenant_id, tenant_slug, ...numbers } = bundle.funnelAggregates
    expect(tenant_slug).toBe(`tenant-${tenant_id}`)
    expect(Object.keys(numbers)).toHaveLength(4 * 3 + 6 * 6)
    expect(new Set(Object.values(numbers))).toEqual(new Set([0]))
  })

  it('a missing status or stage counts as open, and every spelling of won and lost is understood', async () => {
    const stages = ['won', 'Closed_Won', 'CLOSEDWON', 'closed won']
    const lost = ['lost', 'closed_lost', 'ClosedLost', 'Closed Lost']
    const open = [null, '', 'Prospecting', 'engaging']
    const { stats, funnelAggregates } = await bundleFor({
      leads: [null, '', 'New', 'Converted', 'LOST', 'lost'].map((status) => ({ status })),
      opportunities: [...stages, ...lost, ...open].map((stage) => ({ stage, amount: '10' })),
    })
    expect(stats).toMatchObject({ totalLeads: 6, openLeads: 3, totalOpportunities: 12 })
    expect(stats).toMatchObject({ wonOpportunities: 4, wonValue: 40 })
    expect(stats).toMatchObject({ openOpportunities: 4, pipelineValue: 40 })
    expect(funnelAggregates).toMatchObject({
      leads_total: 3,
      closed_won_count_total: 4,
      closed_lost_count_total: 4,
      closed_lost_value_total: 40,
      prospecting_count_total: 1,
      qualification_count_total: 0,
    })
  })

  it('test data is left out when asked, and a row that does not say is real', async () => {
    const rows = [true, false, null].map((is_test_data) => ({ is_test_data }))
    const { db } = database
    const tenant = await tenantWith(db, {
      contacts: rows,
      accounts: rows,
      leads: rows.map((row) => ({ ...row, source: 'web', created_at: NOW })),
      opportunities: [
        { is_test_data: true, stage: 'won', amount: '1' },
        { is_test_data: false, stage: 'won', amount: '2' },
        { is_test_data: null, stage: 'proposal', amount: '4' },
        { is_test_data: true, stage: 'proposal', amount: '8' },
      ],
      activities: rows.map((row) => ({ ...row, created_at: NOW })),
      bizdev_sources: rows,
    })
    const all = await bundleOf(db, tenant.id, { now: NOW })
    const real = await bundleOf(db, tenant.id, { now: NOW, variant: 'false' })
    const three = { totalContacts: 3, totalAccounts: 3, totalLeads: 3, openLeads: 3 }
    expect(all.stats).toMatchObject({ ...three, leadsBySource: { web: 3 }, pipelineValue: 12 })
    expect(all.stats).toMatchObject({ newLeadsLast30Days: 3, activitiesLast30Days: 3, wonValue: 3 })
    const two = { totalContacts: 2, totalAccounts: 2, totalLeads: 2, openLeads: 2 }
    expect(real.stats).toMatchObject({ ...two, leadsBySource: { web: 2 }, pipelineValue: 4 })
    expect(real.stats).toMatchObject({
      newLeadsLast30Days: 2,
      activitiesLast30Days: 2,
      wonValue: 2,
    })
    expect(real.lists['recentLeads']?.map((lead) => lead['is_test_data'])).not.toContain(true)
    expect(real.lists['recentActivities']).toHaveLength(2)
    expect(real.funnelAggregates).toEqual(all.funnelAggregates)
    expect(real.funnelAggregates).toMatchObject({
      contacts_test: 1,
      contacts_real: 2,
      contacts_total: 3,
    })
    expect(real.funnelAggregates).toMatchObject({ proposal_value_test: 8, proposal_value_real: 4 })
  })

  it('a source whose only leads are test data is not in the chart without test data', async () => {
    const leads = [
      { source: 'web', is_test_data: true },
      { source: 'fair', is_test_data: false },
    ]
    const { stats } = await bundleFor({ leads }, { variant: 'false' })
    expect(stats['leadsBySource']).toEqual({ fair: 1 })
  })

  it('leads without a source count as other, the most frequent source first', async () => {
    const sources = [null, '', '  ', 'other', 'web', 'fair', 'a "quoted" one']
    const { stats } = await bundleFor({ leads: sources.map((source) => ({ source })) })
    expect(Object.entries(stats['leadsBySource'] ?? {})).toEqual([
      ['other', 4],
      ['a "quoted" one', 1],
      ['fair', 1],
      ['web', 1],
    ])
  })

  it('the funnel leaves out promoted sources, and stages that are none of its six', async () => {
    const { funnelAggregates } = await bundleFor({
      bizdev_sources: ['Promoted', 'PROMOTED', 'Active', null].map((status) => ({ status })),
      opportunities: [
        { stage: 'engaging' },
        { stage: null },
        { stage: 'Negotiation', amount: null },
      ],
    })
    expect(funnelAggregates).toMatchObject({ sources_total: 2, negotiation_count_total: 1 })
    expect(funnelAggregates).toMatchObject({
      negotiation_value_total: 0,
      prospecting_count_total: 0,
    })
  })

  it('sums are exact', async () => {
    const amounts = ['0.10', '0.20', '90071992547409931.01', null]
    const tenant = await tenantWith(database.db, {
      opportunities: amounts.map((amount) => ({ amount, stage: 'proposal' })),
    })
    const texts = await bundleTexts(database.db, { tenantIds: [tenant.id], now: NOW })
    expect(texts.get(`${tenant.id} true`)).toContain('"pipelineValue":90071992547409931.31')
  })

  it('45 rows in each of four tables are 45, not their product', async () => {
    const { stats, funnelAggregates } = await bundleFor({
      contacts: times(45, {}),
      accounts: times(45, {}),
      leads: times(45, {}),
      opportunities: times(45, { stage: 'proposal', amount: '1' }),
    })
    expect(stats).toMatchObject({ totalContacts: 45, totalAccounts: 45, totalLeads: 45 })
    expect(stats).toMatchObject({ totalOpportunities: 45, pipelineValue: 45 })
    expect(funnelAggregates).toMatchObject({ contacts_total: 45, proposal_count_total: 45 })
  })
})

describe('what is recent', () => {
  // [zone, now, the first instant that counts, the first that does not any more]
  const windows: [string, string, string, string][] = [
    // The 9th in Los Angeles, though the 10th in UTC; the days before are summer time too.
    ['America/Los_Angeles', '2026-05-10T05:00Z', '2026-04-09T07:00Z', '2026-05-10T07:00Z'],
    // The 11th in Kathmandu, though the 10th in UTC.
    ['Asia/Kathmandu', '2026-05-10T20:00Z', '2026-04-10T18:15Z', '2026-05-11T18:15Z'],
    // From winter time to summer time.
    ['Europe/Berlin', '2026-04-10T12:00Z', '2026-03-10T23:00Z', '2026-04-10T22:00Z'],
    // The clocks of Havana were set back at one o'clock: this day had two midnights, and begins with the first.
    ['America/Havana', '2025-12-01T12:00Z', '2025-11-01T04:00Z', '2025-12-02T05:00Z'],
    ['America/Havana', '2025-12-02T12:00Z', '2025-11-02T04:00Z', '2025-12-03T05:00Z'],
    // The clocks of Cairo were set forward at midnight: this day began at one o'clock.
    ['Africa/Cairo', '2025-05-25T12:00Z', '2025-04-24T22:00Z', '2025-05-25T21:00Z'],
    ['UTC', '2026-05-10T00:00Z', '2026-04-10T00:00Z', '2026-05-11T00:00Z'],
  ]
  it.each(windows)('in %s at %s, from %s until before %s', async (timezone, now, since, until) => {
    const dates = [justBefore(since), since, justBefore(until), until]
    for (const [i, date] of dates.entries()) {
      const rows = { leads: [{ created_date: date }], activities: [{ created_date: date }] }
      const { stats } = await bundleFor(rows, { timezone, now })
      const expected = i === 1 || i === 2 ? 1 : 0
      expect.soft(stats, date).toMatchObject({ newLeadsLast30Days: expected })
      expect.soft(stats, date).toMatchObject({ activitiesLast30Days: expected })
    }
  })

  it('the business date decides, and where there is none the date of creation', async () => {
    const old = '2026-01-01T00:00:00.000Z'
    const dates = [
      { created_date: NOW, created_at: old },
      { created_date: old, created_at: NOW },
      { created_date: null, created_at: NOW },
      { created_date: null, created_at: old },
    ]
    const { stats } = await bundleFor({ leads: dates, activities: dates })
    expect(stats).toMatchObject({ newLeadsLast30Days: 2, activitiesLast30Days: 2 })
  })

  it('a lead that is converted or lost is not a new one', async () => {
    const statuses = ['new', null, 'Converted', 'lost']
    const leads = statuses.map((status) => ({ status, created_at: NOW }))
    const { stats } = await bundleFor({ leads })
    expect(stats).toMatchObject({ totalLeads: 4, newLeadsLast30Days: 2 })
  })
})
