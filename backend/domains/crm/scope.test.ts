import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { bundleOf, bundlesOf, type Question } from './bundles.ts'
import { tenantWith, type Tenant } from './test-rows.ts'

const NOW = '2026-05-10T12:00:00.000Z'

const ME = '10000000-0000-4000-8000-000000000001'
const COLLEAGUE = '10000000-0000-4000-8000-000000000002'
const MY_TEAM = '20000000-0000-4000-8000-000000000001'
const OTHER_TEAM = '20000000-0000-4000-8000-000000000002'

// What a record is called says whose it is.
const OWNERS: Record<string, { assigned_to: string | null; assigned_to_team: string | null }> = {
  nobody: { assigned_to: null, assigned_to_team: null },
  me: { assigned_to: ME, assigned_to_team: null },
  'me in my team': { assigned_to: ME, assigned_to_team: MY_TEAM },
  'colleague in my team': { assigned_to: COLLEAGUE, assigned_to_team: MY_TEAM },
  'my team': { assigned_to: null, assigned_to_team: MY_TEAM },
  colleague: { assigned_to: COLLEAGUE, assigned_to_team: null },
  'me in another team': { assigned_to: ME, assigned_to_team: OTHER_TEAM },
  'other team': { assigned_to: null, assigned_to_team: OTHER_TEAM },
}
const ALL = Object.keys(OWNERS)

let database: TestDatabase
let tenant: Tenant

beforeAll(async () => {
  database = await testDatabase()
  const rows = ALL.map((name) => ({ ...OWNERS[name], created_at: NOW }))
  tenant = await tenantWith(database.db, {
    contacts: rows,
    accounts: rows,
    leads: ALL.map((name) => ({ ...OWNERS[name], company: name, source: name, created_at: NOW })),
    opportunities: ALL.flatMap((name) =>
      ['won', 'proposal'].map((stage) => ({ ...OWNERS[name], name, stage, amount: '1' })),
    ),
    activities: ALL.map((name) => ({ ...OWNERS[name], subject: name, created_at: NOW })),
    bizdev_sources: [null, ME, COLLEAGUE].map((assigned_to) => ({ assigned_to })),
  })
})
afterAll(() => database.drop())

describe('a scope holds for every part of the bundle', () => {
  const visibleTo = { userId: ME, teamIds: [MY_TEAM] }
  const mine: string[] = ['nobody', 'me', 'me in my team', 'me in another team']
  const ofMyTeam: string[] = ['me in my team', 'colleague in my team', 'my team']
  const cases: [string, Partial<Question>, string[], number][] = [
    ['an unrestricted user sees everything', {}, ALL, 3],
    [
      'a member sees his own records, those of his teams, and those that nobody owns',
      { visibleTo },
      [...mine, 'colleague in my team', 'my team'],
      2,
    ],
    ['a member without a team sees his own', { visibleTo: { userId: ME, teamIds: [] } }, mine, 2],
    ['a team drill-down shows only that team', { teamId: MY_TEAM }, ofMyTeam, 0],
    [
      'a person drill-down shows only that person',
      { assignedTo: ME },
      ['me', 'me in my team', 'me in another team'],
      1,
    ],
    ['both drill-downs hold at once', { teamId: MY_TEAM, assignedTo: ME }, ['me in my team'], 0],
    [
      'a drill-down never shows more than may be seen',
      { visibleTo, assignedTo: COLLEAGUE },
      ['colleague in my team'],
      0,
    ],
    [
      'another team shows a member only what is his own',
      { visibleTo, teamId: OTHER_TEAM },
      ['me in another team'],
      0,
    ],
  ]

  it.each(cases)('%s', async (_name, question, owners, sources) => {
    const { stats, lists, funnelAggregates } = await bundleOf(database.db, tenant.id, {
      now: NOW,
      ...question,
    })
    const n = owners.length
    const counted = { totalContacts: n, totalAccounts: n, totalLeads: n, totalOpportunities: 2 * n }
    expect(stats).toEqual({
      ...counted,
      openLeads: n,
      newLeadsLast30Days: n,
      activitiesLast30Days: n,
      wonOpportunities: n,
      openOpportunities: n,
      pipelineValue: n,
      wonValue: n,
      leadsBySource: Object.fromEntries(owners.map((owner) => [owner, 1])),
    })
    expect(namesIn(lists['recentLeads'], 'company')).toEqual(new Set(owners))
    expect(namesIn(lists['recentOpportunities'], 'name')).toEqual(new Set(owners))
    expect(namesIn(lists['recentActivities'], 'subject')).toEqual(new Set(owners))
    expect(funnelAggregates).toMatchObject({
      contacts_total: n,
      accounts_total: n,
      leads_total: n,
      sources_total: sources,
      proposal_count_total: n,
      closed_won_value_total: n,
    })
  })
})

function namesIn(
  list: readonly Record<string, unknown>[] | undefined,
  field: string,
): Set<unknown> {
  return new Set(list?.map((item) => item[field]))
}

describe('many tenants', () => {
  it('are answered by one statement, a row for each tenant and variant', async () => {
    const { db } = database
    const tenants = await Promise.all([1, 2, 3].map(() => tenantWith(db, { leads: [{}] })))
    const before = db.statements
    const bundles = await bundlesOf(db, { tenantIds: tenants.map(({ id }) => id), now: NOW })
    expect(db.statements - before).toBe(1)
    const names = tenants.flatMap(({ id }) => [`${id} true`, `${id} false`])
    expect(new Set(bundles.keys())).toEqual(new Set(names))
  })

  it('merged are one row per variant, each tenant judged by its own time zone', async () => {
    const { db } = database
    // Here the last 30 days began on the 10th at 07:00 UTC, there on the 9th at 18:15 UTC.
    const now = '2026-05-10T12:00:00.000Z'
    const created_at = '2026-04-10T00:00:00.000Z'
    const here = await tenantWith(
      db,
      { leads: [{ source: 'web', created_at, company: 'here' }], contacts: [{}] },
      'America/Los_Angeles',
    )
    const there = await tenantWith(
      db,
      {
        leads: [
          { source: 'web', created_at: now, is_test_data: true },
          { source: 'web', created_at },
        ],
      },
      'Asia/Kathmandu',
    )
    const bundles = await bundlesOf(db, { tenantIds: [here.id, there.id], now, merge: true })
    expect([...bundles.keys()].toSorted()).toEqual(['null false', 'null true'])
    const all = bundles.get('null true')
    expect(all?.stats).toMatchObject({ totalLeads: 3, totalContacts: 1, newLeadsLast30Days: 2 })
    expect(all?.stats['leadsBySource']).toEqual({ web: 3 })
    expect(all?.lists['recentLeads']?.map((lead) => lead['tenant_id'])[0]).toBe(there.id)
    expect(all?.lists['recentLeads']).toHaveLength(3)
    expect(all?.funnelAggregates).toMatchObject({
      tenant_id: null,
      tenant_slug: null,
      leads_total: 3,
    })
    expect(bundles.get('null false')?.stats).toMatchObject({ totalLeads: 2, newLeadsLast30Days: 1 })
  })

  it('merged are answered even if there are none', async () => {
    const bundles = await bundlesOf(database.db, { tenantIds: [], now: NOW, merge: true })
    expect(bundles.get('null true')?.stats).toMatchObject({ totalLeads: 0, pipelineValue: 0 })
    expect(bundles.get('null false')?.lists['recentLeads']).toEqual([])
  })

  it('that are asked for twice are answered once, and unknown ones not at all', async () => {
    const unknown = '00000000-0000-4000-8000-00000000dead'
    const tenantIds = [tenant.id, tenant.id, unknown]
    const alone = await bundleOf(database.db, tenant.id, { now: NOW })
    const bundles = await bundlesOf(database.db, { tenantIds, now: NOW, variants: ['true'] })
    expect([...bundles]).toEqual([[`${tenant.id} true`, alone]])
    const merged = await bundlesOf(database.db, { tenantIds, now: NOW, merge: true })
    expect(merged.get('null true')?.stats).toEqual(alone.stats)
  })
})
