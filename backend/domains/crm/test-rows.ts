// Rows for the tests, and the way into the tables.
import { randomUUID } from 'node:crypto'
import type { TestDatabase } from '../../test/database.ts'
import { insertRows } from '../../test/insert-rows.ts'

export type Db = TestDatabase['db']

export type Tenant = { id: string; slug: string; timezone: string }

/** Times are ISO 8601; what a table does not have is left out when it is inserted. */
export type Common = {
  id: string
  tenant_id: string
  assigned_to: string | null
  is_test_data: boolean | null
  created_date: string | null
  created_at: string
}
export type Owned = Common & { assigned_to_team: string | null }

export type Lead = Owned & {
  first_name: string | null
  last_name: string | null
  company: string | null
  email: string | null
  phone: string | null
  status: string | null
  source: string | null
}
export type Opportunity = Owned & {
  name: string
  /** Decimal text. */
  amount: string | null
  stage: string | null
  probability: number | null
  updated_at: string
}
export type Activity = Owned & { type: string; subject: string | null; status: string | null }
export type Account = Owned & { name: string }
export type BizdevSource = Common & { source: string; status: string | null }

export type Tables = {
  contacts: Owned[]
  accounts: Account[]
  leads: Lead[]
  opportunities: Opportunity[]
  activities: Activity[]
  bizdev_sources: BizdevSource[]
}

export type Rows = { [Table in keyof Tables]?: readonly Partial<Tables[Table][number]>[] }

const LONG_AGO = '2020-01-01T00:00:00.000Z'

/** A new tenant with these rows; what a row leaves open is null, and its times are long ago. */
export async function tenantWith(
  db: Db,
  given: Rows,
  timezone = 'UTC',
): Promise<Tenant & { rows: Tables }> {
  const id = randomUUID()
  const tenant = { id, slug: `tenant-${id}`, timezone }
  await db.query('insert into tenant (id, name, slug, timezone) values ($1, $2, $2, $3)', [
    tenant.id,
    tenant.slug,
    tenant.timezone,
  ])
  const rows = completed(given, id)
  for (const [table, its] of Object.entries(rows)) await insertRows(db, `crm.${table}`, its)
  return { ...tenant, rows }
}

function completed(given: Rows, tenant_id: string): Tables {
  const nobodys = { assigned_to: null, is_test_data: null }
  const common = { ...nobodys, tenant_id, created_date: null, created_at: LONG_AGO }
  const owned = (): Owned => ({ ...common, id: randomUUID(), assigned_to_team: null })
  return {
    contacts: (given.contacts ?? []).map((row) => ({ ...owned(), ...row })),
    accounts: (given.accounts ?? []).map((row) => ({ ...owned(), name: 'Account', ...row })),
    leads: (given.leads ?? []).map((row) => ({ ...owned(), ...NO_LEAD, ...row })),
    opportunities: (given.opportunities ?? []).map((row) => ({ ...owned(), ...NO_DEAL, ...row })),
    activities: (given.activities ?? []).map((row) => ({ ...owned(), ...NO_ACTIVITY, ...row })),
    bizdev_sources: (given.bizdev_sources ?? []).map((row) => ({
      ...common,
      id: randomUUID(),
      source: 'Trade register',
      status: null,
      ...row,
    })),
  }
}

const NO_LEAD = {
  first_name: null,
  last_name: null,
  company: null,
  email: null,
  phone: null,
  status: null,
  source: null,
}
const NO_DEAL = {
  name: 'Opportunity',
  amount: null,
  stage: null,
  probability: null,
  updated_at: LONG_AGO,
}
const NO_ACTIVITY = { type: 'call', subject: null, status: null }
