// The bundle once more, as plainly as possible: one number after the other, from rows in memory.
import type { Bundle, Question, Variant } from './bundles.ts'
import type { Common, Lead, Opportunity, Tables, Tenant } from './test-rows.ts'

type Scoped = Common & { assigned_to_team?: string | null }

export type World = { tenants: readonly Tenant[]; tables: Tables }

const WON = ['won', 'closed_won', 'closedwon', 'closed won']
const LOST = ['lost', 'closed_lost', 'closedlost', 'closed lost']
const DAY_MS = 86_400_000

export function naiveBundle(world: World, question: Question, variant: Variant): Bundle {
  const seen = inScope(world.tables, question)
  const shown = variant === 'true' ? seen : withoutTest(seen)
  const tenant = question.merge
    ? null
    : world.tenants.find(({ id }) => id === question.tenantIds[0])
  const { contacts, accounts, leads, opportunities, activities } = shown
  const open = opportunities.filter(({ stage }) => !isOneOf(stage, [...WON, ...LOST]))
  const won = opportunities.filter(({ stage }) => isOneOf(stage, WON))
  const isRecent = (row: Common): boolean => isInLast30Days(row, world.tenants, question.now)
  return {
    stats: {
      totalContacts: contacts.length,
      totalAccounts: accounts.length,
      totalLeads: leads.length,
      totalOpportunities: opportunities.length,
      openLeads: leads.filter(isOpenLead).length,
      wonOpportunities: won.length,
      openOpportunities: open.length,
      newLeadsLast30Days: leads.filter(isOpenLead).filter(isRecent).length,
      activitiesLast30Days: activities.filter(isRecent).length,
      pipelineValue: sumOf(open),
      wonValue: sumOf(won),
      leadsBySource: countBy(leads.map(({ source }) => (source?.trim() ? source : 'other'))),
    },
    lists: listsOf(shown),
    funnelAggregates: {
      tenant_id: tenant?.id ?? null,
      tenant_slug: tenant?.slug ?? null,
      ...funnelOf(seen),
    },
  }
}

function inScope(tables: Tables, question: Question): Tables {
  const { tenantIds, teamId, assignedTo } = question
  return mapTables(
    tables,
    (row) =>
      tenantIds.includes(row.tenant_id) &&
      isVisible(row, question) &&
      (!teamId || row.assigned_to_team === teamId) &&
      (!assignedTo || row.assigned_to === assignedTo),
  )
}

function isVisible(row: Scoped, { visibleTo }: Question): boolean {
  const { assigned_to: person, assigned_to_team: team = null } = row
  if (!visibleTo || person === visibleTo.userId) return true
  return team === null ? person === null : visibleTo.teamIds.includes(team)
}

function withoutTest(tables: Tables): Tables {
  return mapTables(tables, (row) => row.is_test_data !== true)
}

function mapTables(tables: Tables, isKept: (row: Scoped) => boolean): Tables {
  return {
    contacts: tables.contacts.filter(isKept),
    accounts: tables.accounts.filter(isKept),
    leads: tables.leads.filter(isKept),
    opportunities: tables.opportunities.filter(isKept),
    activities: tables.activities.filter(isKept),
    bizdev_sources: tables.bizdev_sources.filter(isKept),
  }
}

function isOneOf(word: string | null, words: readonly string[]): boolean {
  return word !== null && words.includes(word.toLowerCase())
}

function isOpenLead({ status }: Lead): boolean {
  return !isOneOf(status, ['converted', 'lost'])
}

function isInLast30Days(row: Common, tenants: readonly Tenant[], now: string): boolean {
  const timezone = tenants.find(({ id }) => id === row.tenant_id)?.timezone ?? 'UTC'
  const day = (time: string): string =>
    new Intl.DateTimeFormat('en-CA', { timeZone: timezone, dateStyle: 'short' }).format(
      new Date(time),
    )
  const today = day(now)
  const first = new Date(Date.parse(today) - 30 * DAY_MS).toISOString().slice(0, 10)
  const its = day(row.created_date ?? row.created_at)
  return its >= first && its <= today
}

function cents(amount: string | null): number {
  return Math.round(Number(amount ?? 0) * 100)
}

function sumOf(opportunities: readonly Opportunity[]): number {
  return opportunities.reduce((sum, { amount }) => sum + cents(amount), 0) / 100
}

function countBy(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1
  return counts
}

const ACTIVITY = 'id type subject status created_at created_date assigned_to tenant_id'
const LEAD =
  'id first_name last_name company email phone created_date created_at status source is_test_data tenant_id assigned_to'
const OPPORTUNITY = 'id name amount stage probability updated_at is_test_data tenant_id assigned_to'

function listsOf({ activities, leads, opportunities }: Tables): Bundle['lists'] {
  const deals = opportunities.map((deal) => ({
    ...deal,
    amount: deal.amount === null ? null : Number(deal.amount),
  }))
  return {
    recentActivities: newest(activities, 'created_at', 10).map((row) => pick(row, ACTIVITY)),
    recentLeads: newest(leads, 'created_at', 50).map((row) => pick(row, LEAD)),
    recentOpportunities: newest(deals, 'updated_at', 50).map((row) => pick(row, OPPORTUNITY)),
  }
}

function newest<Field extends string, R extends Record<Field | 'id', string>>(
  rows: readonly R[],
  field: Field,
  limit: number,
): R[] {
  const order = (a: R, b: R): number =>
    Date.parse(b[field]) - Date.parse(a[field]) || (a.id < b.id ? -1 : 1)
  return rows.toSorted(order).slice(0, limit)
}

function pick(row: object, fields: string): Bundle['lists'][string][number] {
  const values = new Map(Object.entries(row))
  return Object.fromEntries(fields.split(' ').map((field) => [field, values.get(field) ?? null]))
}

function funnelOf(tables: Tables): Record<string, number> {
  const { contacts, accounts, leads, bizdev_sources, opportunities } = tables
  const sources = bizdev_sources.filter(({ status }) => !isOneOf(status, ['promoted']))
  const stages = [
    'prospecting',
    'qualification',
    'proposal',
    'negotiation',
    'closed_won',
    'closed_lost',
  ]
  return {
    ...apart('sources', sources, count),
    ...apart('leads', leads.filter(isOpenLead), count),
    ...apart('contacts', contacts, count),
    ...apart('accounts', accounts, count),
    ...Object.assign({}, ...stages.map((stage) => funnelStage(stage, opportunities))),
  }
}

function count(rows: readonly Common[]): number {
  return rows.length
}

function funnelStage(stage: string, opportunities: readonly Opportunity[]): Record<string, number> {
  const spellings = { closed_won: WON, closed_lost: LOST }[stage] ?? [stage]
  const rows = opportunities.filter((row) => isOneOf(row.stage, spellings))
  return {
    ...apart(`${stage}_count`, rows, count),
    ...apart(`${stage}_value`, rows, sumOf),
  }
}

function apart<R extends Common>(
  name: string,
  rows: readonly R[],
  measure: (rows: readonly R[]) => number,
): Record<string, number> {
  return {
    [`${name}_test`]: measure(rows.filter((row) => row.is_test_data === true)),
    [`${name}_real`]: measure(rows.filter((row) => row.is_test_data !== true)),
    [`${name}_total`]: measure(rows),
  }
}
