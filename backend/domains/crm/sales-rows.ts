// What the tables are given of the sales data. Only for loading: what is expected is worked out from the files again.
//
//   deal                      an opportunity; one of the product that is spelled wrong counts as test data
//   deal without an account   also a lead, whose source is the series of the product
//   deal with a close date    also an activity of that day
//   account with a deal       an account; if it belongs to another company also a source, promoted once a deal is won
//   agent                     a contact, and whom the records are assigned to; the manager stands for the team
import { idOf, type Agent, type Company, type Deal, type SalesData } from './sales-data.ts'
import type { Rows } from './test-rows.ts'

const MISSPELT = 'GTXPro'
const STATUS: Record<string, string> = { Won: 'Converted', Lost: 'Lost', Engaging: 'Contacted' }
// When a deal without a date was created.
const BEFORE_ALL = '2016-01-01'

export function rowsOf(data: SalesData, office: string): Rows {
  const agents = data.agents.filter((agent) => agent.regional_office === office)
  const agentOf = new Map(agents.map((agent) => [agent.sales_agent, agent]))
  const deals = data.deals.filter((deal) => agentOf.has(deal.sales_agent))
  const companies = companiesOf(data, deals)
  const seriesOf = new Map(data.products.map(({ product, series }) => [product, series]))
  const common = (deal: Deal): object => commonOf(deal, agentOf.get(deal.sales_agent))
  return {
    contacts: agents.map(({ sales_agent }) => ({ id: idOf('contact', sales_agent) })),
    accounts: companies.map(({ account }) => ({ id: idOf('account', account), name: account })),
    leads: deals
      .filter((deal) => deal.account === '')
      .map((deal) => ({ ...common(deal), ...leadOf(deal, seriesOf.get(deal.product)) })),
    opportunities: deals.map((deal) => ({ ...common(deal), ...opportunityOf(deal) })),
    activities: deals
      .filter((deal) => deal.close_date !== '')
      .map((deal) => ({ ...common(deal), ...activityOf(deal) })),
    bizdev_sources: companies
      .filter((company) => company.subsidiary_of !== '')
      .map((company) => sourceOf(company, deals)),
  }
}

function companiesOf({ companies }: SalesData, deals: readonly Deal[]): Company[] {
  const used = new Set(deals.map((deal) => deal.account).filter((account) => account !== ''))
  return [...used].map(
    (account) =>
      companies.find((company) => company.account === account) ?? {
        account,
        sector: '',
        subsidiary_of: '',
      },
  )
}

function commonOf(deal: Deal, agent: Agent | undefined): object {
  return {
    assigned_to: idOf('agent', deal.sales_agent),
    assigned_to_team: agent ? idOf('manager', agent.manager) : null,
    is_test_data: deal.product === MISSPELT ? true : null,
  }
}

function opportunityOf(deal: Deal): object {
  return {
    id: idOf('deal', deal.opportunity_id),
    name: deal.product,
    stage: deal.deal_stage,
    amount: deal.close_value || null,
    created_date: noon(deal.engage_date),
    created_at: noon(deal.engage_date || BEFORE_ALL),
    updated_at: noon(deal.close_date || deal.engage_date || BEFORE_ALL),
  }
}

function leadOf(deal: Deal, series: string | undefined): object {
  return {
    id: idOf('lead', deal.opportunity_id),
    first_name: deal.sales_agent,
    status: STATUS[deal.deal_stage] ?? null,
    source: series ?? null,
    created_date: noon(deal.engage_date),
    created_at: noon(deal.engage_date || BEFORE_ALL),
  }
}

function activityOf(deal: Deal): object {
  return {
    id: idOf('activity', deal.opportunity_id),
    type: 'close',
    subject: deal.product,
    status: deal.deal_stage,
    created_at: noon(deal.close_date),
  }
}

function sourceOf({ account, subsidiary_of }: Company, deals: readonly Deal[]): object {
  const isWon = deals.some((deal) => deal.account === account && deal.deal_stage === 'Won')
  return {
    id: idOf('source', account),
    source: subsidiary_of,
    status: isWon ? 'Promoted' : 'Active',
  }
}

/** A time on this day in each of the offices, or null. */
function noon(date: string): string | null {
  return date === '' ? null : `${date}T18:00:00.000Z`
}
