// Rows for the tests, and the way into the tables.
import { randomUUID } from 'node:crypto'
import type { TestDatabase } from '../../test/database.ts'

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

// What a table demands and few tests care about.
const DEMANDED: { [Table in keyof Tables]: Partial<Tables[Table][number]> } = {
  contacts: {},
  accounts: { name: 'Account' },
  leads: {},
  opportunities: { name: 'Opportunity', updated_at: LONG_AGO },
  activities: { type: 'call' },
  bizdev_sources: { source: 'Trade register' },
}

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
  const tables = Object.keys(DEMANDED) as (keyof Tables)[]
  const rows = Object.fromEntries(tables.map((table) => [table, completed(table, given, id)]))
  for (const table of tables) await insertRows(db, table, rows[table] ?? [])
  return { ...tenant, rows: rows as Tables }
}

function completed(table: keyof Tables, given: Rows, tenantId: string): object[] {
  const open = { created_at: LONG_AGO, ...DEMANDED[table] }
  return (given[table] ?? []).map((row) => ({
    id: randomUUID(),
    ...open,
    ...row,
    tenant_id: tenantId,
  }))
}

async function insertRows(db: Db, table: string, rows: readonly object[]): Promise<void> {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))].join(', ')
  if (columns === '') return
  await db.query(
    `insert into crm.${table} (${columns})
     select ${columns} from jsonb_populate_recordset(null::crm.${table}, $1::jsonb)`,
    [JSON.stringify(rows)],
  )
}
