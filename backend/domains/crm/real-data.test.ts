// The dashboards of three regional offices from the sales of a real company, every number of them against the files.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { testApp, type TestApp } from '../../test/app.ts'
import { hasRealData } from '../../test/real-data.ts'
import { parseBundle, type Bundle, type Variant } from './bundles.ts'
import { idOf, readSalesData, type Deal, type SalesData } from './sales-data.ts'
import { rowsOf } from './sales-rows.ts'
import { tenantWith } from './test-rows.ts'

const NOW = '2017-12-31T20:00:00.000Z'
const [FIRST_DAY, LAST_DAY] = ['2017-12-01', '2017-12-31']
const OFFICES = {
  Central: 'America/Chicago',
  East: 'America/New_York',
  West: 'America/Los_Angeles',
}

const Answer = z.object({ data: z.looseObject({ meta: z.unknown() }) })

type Office = { name: string; id: string; slug: string; deals: Deal[]; agents: string[] }

describe.skipIf(!hasRealData('crm'))('the sales of three regional offices', () => {
  let app: TestApp
  let data: SalesData
  let offices: Office[]
  let bundles: Map<string, Bundle>

  beforeAll(async () => {
    app = await testApp({ clock: () => new Date(NOW) })
    data = await readSalesData()
    offices = await Promise.all(Object.entries(OFFICES).map(([name, zone]) => load(name, zone)))
    const token = await app.token()
    await app.post('/api/cron/execute', { function_name: 'warmDashboardBundleCache' }, token)
    bundles = new Map()
    for (const { id } of offices) {
      for (const variant of ['true', 'false']) {
        bundles.set(`${id} ${variant}`, await served(token, id, variant))
      }
    }
  })
  afterAll(() => app.stop())

  /** What the API answers from what was warmed. */
  async function served(token: string, id: string, variant: string): Promise<Bundle> {
    const query = `tenant_id=${id}&include_test_data=${variant}`
    const response = await app.get(`/api/reports/dashboard-bundle?${query}`, token)
    if (response.headers.get('x-cache') !== 'HIT') throw new Error('It was not warm.')
    const answer = Answer.parse(await response.json())
    const { meta: _meta, ...bundle } = answer.data
    return parseBundle(JSON.stringify(bundle))
  }

  async function load(name: string, zone: string): Promise<Office> {
    const { id, slug } = await tenantWith(app.db, rowsOf(data, name), zone)
    const agents = data.agents.filter((agent) => agent.regional_office === name)
    const names = agents.map((agent) => agent.sales_agent)
    const deals = data.deals.filter((deal) => names.includes(deal.sales_agent))
    return { name, id, slug, deals, agents: names }
  }

  function each(check: (office: Office, deals: Deal[], bundle: Bundle) => void): void {
    for (const office of offices) {
      for (const variant of ['true', 'false'] satisfies Variant[]) {
        const isShown = (deal: Deal): boolean => variant === 'true' || deal.product !== 'GTXPro'
        const bundle = bundles.get(`${office.id} ${variant}`)
        if (!bundle) throw new Error(`There is no bundle of ${office.name}.`)
        check(office, office.deals.filter(isShown), bundle)
      }
    }
  }

  it('every deal of the files is in one of the dashboards', () => {
    const totals = offices.map(({ id }) => bundles.get(`${id} true`)?.stats['totalOpportunities'])
    expect(totals.reduce((sum: number, total) => sum + Number(total), 0)).toBe(data.deals.length)
    expect(data.deals.length).toBeGreaterThan(8000)
  })

  it('the numbers are those of the files', () => {
    each((office, deals, { stats }) => {
      const won = deals.filter((deal) => deal.deal_stage === 'Won')
      const open = deals.filter(isOpen)
      const leads = deals.filter((deal) => deal.account === '')
      const openLeads = leads.filter(isOpen)
      expect(stats).toEqual({
        totalContacts: office.agents.length,
        totalAccounts: new Set(office.deals.map((deal) => deal.account).filter(Boolean)).size,
        totalLeads: leads.length,
        totalOpportunities: deals.length,
        openLeads: openLeads.length,
        wonOpportunities: won.length,
        openOpportunities: open.length,
        newLeadsLast30Days: openLeads.filter((deal) => isRecent(deal.engage_date)).length,
        activitiesLast30Days: deals.filter((deal) => isRecent(deal.close_date)).length,
        pipelineValue: valueOf(open),
        wonValue: valueOf(won),
        leadsBySource: sourcesOf(leads),
      })
    })
  })

  function sourcesOf(deals: readonly Deal[]): Record<string, number> {
    const names = [...new Set(data.products.map(({ series }) => series)), 'other']
    const sourceOf = (deal: Deal): string =>
      data.products.find(({ product }) => product === deal.product)?.series ?? 'other'
    const counts = names.map(
      (name) => [name, deals.filter((deal) => sourceOf(deal) === name).length] as const,
    )
    return Object.fromEntries(counts.filter(([, count]) => count > 0))
  }

  it('the lists hold the newest records, in order', () => {
    each((office, deals, { lists }) => {
      const closed = deals.filter((deal) => deal.close_date !== '')
      const leads = deals.filter((deal) => deal.account === '')
      const activities = newest('activity', 10, closed, (deal) => deal.close_date)
      expect(lists['recentActivities']).toEqual(
        activities.map(({ id, deal }) => ({
          id,
          type: 'close',
          subject: deal.product,
          status: deal.deal_stage,
          created_at: noon(deal.close_date),
          created_date: null,
          assigned_to: idOf('agent', deal.sales_agent),
          tenant_id: office.id,
        })),
      )
      const newestLeads = newest('lead', 50, leads, (deal) => deal.engage_date)
      expect(lists['recentLeads']).toMatchObject(
        newestLeads.map(({ id, deal }) => ({
          id,
          first_name: deal.sales_agent,
          created_date: deal.engage_date === '' ? null : noon(deal.engage_date),
          is_test_data: deal.product === 'GTXPro' ? true : null,
          tenant_id: office.id,
        })),
      )
      const updated = newest('deal', 50, deals, (deal) => deal.close_date || deal.engage_date)
      expect(lists['recentOpportunities']).toEqual(
        updated.map(({ id, deal }) => ({
          id,
          name: deal.product,
          amount: deal.close_value === '' ? null : Number(deal.close_value),
          stage: deal.deal_stage,
          probability: null,
          updated_at: noon(deal.close_date || deal.engage_date),
          is_test_data: deal.product === 'GTXPro' ? true : null,
          assigned_to: idOf('agent', deal.sales_agent),
          tenant_id: office.id,
        })),
      )
    })
  })

  it('the funnel is that of the files, with and without test data', () => {
    each(({ id, slug, agents, deals }, _shown, { funnelAggregates }) => {
      const leads = deals.filter((deal) => deal.account === '' && isOpen(deal))
      const accounts = [...new Set(deals.map((deal) => deal.account).filter(Boolean))]
      const wonWith = new Set(deals.filter(isStage('Won')).map((deal) => deal.account))
      const sources = data.companies.filter(
        ({ account, subsidiary_of }) =>
          subsidiary_of !== '' && accounts.includes(account) && !wonWith.has(account),
      )
      const none = ['qualification', 'proposal', 'negotiation'].map((stage) => stageOf(stage, []))
      expect(funnelAggregates).toEqual({
        tenant_id: id,
        tenant_slug: slug,
        ...allReal('sources', sources.length),
        ...apart('leads', leads, (some) => some.length),
        ...allReal('contacts', agents.length),
        ...allReal('accounts', accounts.length),
        ...stageOf('prospecting', deals.filter(isStage('Prospecting'))),
        ...Object.assign({}, ...none),
        ...stageOf('closed_won', deals.filter(isStage('Won'))),
        ...stageOf('closed_lost', deals.filter(isStage('Lost'))),
      })
    })
  })
})

function isRecent(date: string): boolean {
  return date >= FIRST_DAY && date <= LAST_DAY
}

function isOpen({ deal_stage }: Deal): boolean {
  return !['Won', 'Lost'].includes(deal_stage)
}

function isStage(stage: string): (deal: Deal) => boolean {
  return (deal) => deal.deal_stage === stage
}

function valueOf(deals: readonly Deal[]): number {
  return deals.reduce((sum, deal) => sum + Number(deal.close_value), 0)
}

function noon(date: string): string {
  return `${date || '2016-01-01'}T18:00:00.000Z`
}

function newest(
  kind: string,
  count: number,
  deals: readonly Deal[],
  dateOf: (deal: Deal) => string,
) {
  return deals
    .map((deal) => ({ deal, id: idOf(kind, deal.opportunity_id) }))
    .toSorted((a, b) => dateOf(b.deal).localeCompare(dateOf(a.deal)) || a.id.localeCompare(b.id))
    .slice(0, count)
}

type Numbers = Record<string, number>

function apart(
  name: string,
  deals: readonly Deal[],
  measure: (deals: readonly Deal[]) => number,
): Numbers {
  return {
    [`${name}_test`]: measure(deals.filter((deal) => deal.product === 'GTXPro')),
    [`${name}_real`]: measure(deals.filter((deal) => deal.product !== 'GTXPro')),
    [`${name}_total`]: measure(deals),
  }
}

function allReal(name: string, count: number): Numbers {
  return { [`${name}_test`]: 0, [`${name}_real`]: count, [`${name}_total`]: count }
}

function stageOf(stage: string, deals: readonly Deal[]): Numbers {
  return {
    ...apart(`${stage}_count`, deals, (some) => some.length),
    ...apart(`${stage}_value`, deals, valueOf),
  }
}
