// Rows for the tests, and the way into the tables.
import { randomUUID } from 'node:crypto'
import type { TestDatabase } from '../../test/database.ts'
import { insertRows } from '../../test/insert-rows.ts'

export type Db = TestDatabase['db']

/** Times are ISO 8601. */
export type MailEvent = {
  contact_email: string
  campaign_name: string
  event_type: 'sent' | 'delivered' | 'bounced' | 'replied' | 'opt_out' | 'opened' | 'clicked'
  event_ts: string
  step: number | null
  email_number: number | null
  is_test: boolean | null
}
export type Usage = {
  provider: string | null
  model: string | null
  tokens_in: number | null
  tokens_out: number | null
  /** Decimal text. */
  cost_usd: string
  campaign_name: string | null
  created_at: string
}
export type Lead = { email: string; campaign_name: string | null; is_test: boolean | null }
export type Campaign = { name: string }

export type Tables = {
  campaigns: Campaign[]
  leads: Lead[]
  email_events: MailEvent[]
  llm_usage: Usage[]
}
export type Rows = { [Table in keyof Tables]?: readonly Partial<Tables[Table][number]>[] }

export type Workspace = { id: string; timezone: string; rows: Tables }

/** When the tests that say nothing else take place. */
export const NOW = '2026-05-10T12:00:00.000Z'

/** At noon in UTC. */
export function on(day: string): { event_ts: string } {
  return { event_ts: `${day}T12:00:00.000Z` }
}

export function times<Row>(count: number, row: Row): Row[] {
  return Array.from({ length: count }, () => row)
}

/** A new workspace with these rows. An event that is not described is a first mail to Ada; the views do not know of it yet. */
export async function workspaceWith(db: Db, given: Rows, timezone = 'UTC'): Promise<Workspace> {
  const id = randomUUID()
  await db.query('insert into tenant (id, name, slug, timezone) values ($1, $2, $2, $3)', [
    id,
    `workspace-${id}`,
    timezone,
  ])
  const rows = completed(given)
  for (const [table, its] of Object.entries(rows)) {
    const owned = its.map((row) => ({ workspace_id: id, ...row }))
    await insertRows(db, `campaigns.${table}`, owned)
  }
  return { id, timezone, rows }
}

const SENT = {
  contact_email: 'ada@example.com',
  campaign_name: 'Spring',
  event_type: 'sent',
  event_ts: '2026-05-10T12:00:00.000Z',
  step: null,
  email_number: null,
  is_test: null,
} as const

const USED = {
  provider: 'openai',
  model: 'gpt-4o',
  tokens_in: 100,
  tokens_out: 10,
  cost_usd: '0.01',
  campaign_name: null,
  created_at: '2026-05-10T12:00:00.000Z',
}

function completed(given: Rows): Tables {
  return {
    campaigns: (given.campaigns ?? []).map((row) => ({ name: 'Spring', ...row })),
    leads: (given.leads ?? []).map((row) => ({
      email: `${randomUUID()}@example.com`,
      campaign_name: null,
      is_test: null,
      ...row,
    })),
    email_events: (given.email_events ?? []).map((row) => ({ ...SENT, ...row })),
    llm_usage: (given.llm_usage ?? []).map((row) => ({ ...USED, ...row })),
  }
}

/** Has the views show what is in the tables. */
export async function refreshViews(db: Db): Promise<void> {
  const rows = await db.query<{ status: string }>('select * from refresh_dashboard_views()')
  if (rows.every(({ status }) => status === 'refreshed')) return
  throw new Error(`The views were not refreshed: ${JSON.stringify(rows)}`)
}
