// Rows for the tests, and the way into the tables.
import { randomUUID } from 'node:crypto'
import type { TestDatabase } from '../../test/database.ts'
import { insertRows } from '../../test/insert-rows.ts'

export type Db = TestDatabase['db']

/** Days are spelled `2026-05-31`. */
export type Customer = {
  id: string
  customer_code: string
  customer_name: string
  contact_number: string | null
  email: string | null
  preferred_contact_method: string | null
  customer_create_date: string
  last_visit_date: string | null
  /** Decimal text. */
  total_lifetime_value: string
  total_visits: number
  is_active: boolean
}
export type Package = {
  id: string
  customer_id: string | null
  purchase_date: string
  expiration_date: string | null
}
export type Sale = {
  id: string
  customer_id: string | null
  date: string
  receipt_number: string
  sales_net: string
  is_voided: boolean
}

export type Tables = { customers: Customer[]; packages: Package[]; sales: Sale[] }
export type Rows = { [Table in keyof Tables]?: readonly Partial<Tables[Table][number]>[] }

export type Tenant = { id: string; timezone: string; rows: Tables }

export const LONG_AGO = '2020-01-15'

/** A new tenant with these rows; a customer who is not described came once, long ago. */
export async function tenantWith(db: Db, given: Rows, timezone = 'UTC'): Promise<Tenant> {
  const id = randomUUID()
  await insertTenant(db, { id, timezone })
  const rows = completed(given)
  for (const [table, its] of Object.entries(rows)) {
    const owned = its.map((row) => ({ tenant_id: id, ...row }))
    await insertRows(db, `customers.${table}`, owned)
  }
  return { id, timezone, rows }
}

export async function insertTenant(
  db: Db,
  { id, timezone }: { id: string; timezone: string },
): Promise<void> {
  await db.query('insert into tenant (id, name, slug, timezone) values ($1, $2, $2, $3)', [
    id,
    `tenant-${id}`,
    timezone,
  ])
}

function completed({ customers = [], packages = [], sales = [] }: Rows): Tables {
  return {
    customers: customers.map((row, i) => ({ ...NOBODY, ...code(i + 1), id: randomUUID(), ...row })),
    packages: packages.map((row) => ({ ...PACKAGE, id: randomUUID(), ...row })),
    sales: sales.map((row, i) => ({ ...SALE, id: randomUUID(), receipt_number: `R-${i}`, ...row })),
  }
}

function code(number: number): Pick<Customer, 'customer_code'> {
  return { customer_code: `CUS-${String(number).padStart(3, '0')}` }
}

const NOBODY = {
  customer_name: 'Somebody',
  contact_number: '081-555-0000',
  email: null,
  preferred_contact_method: null,
  customer_create_date: LONG_AGO,
  last_visit_date: LONG_AGO,
  total_lifetime_value: '0',
  total_visits: 1,
  is_active: true,
}
const PACKAGE = { customer_id: null, purchase_date: LONG_AGO, expiration_date: null }
const SALE = { customer_id: null, date: LONG_AGO, sales_net: '0', is_voided: false }
