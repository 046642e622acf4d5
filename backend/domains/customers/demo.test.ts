import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { sqlFile } from '../../test/sql-file.ts'
import { kpisAt } from './kpis.ts'
import { insertTenant } from './test-rows.ts'

const NOW = '2026-05-10T12:00:00.000Z'
const TENANTS = {
  '00000000-0000-4000-8000-000000000001': 'Asia/Bangkok',
  '00000000-0000-4000-8000-000000000002': 'Pacific/Pago_Pago',
}
const TABLES = { package_types: 4, customers: 75, packages: 30, sales: 180 }

let first: TestDatabase
let second: TestDatabase

beforeAll(async () => {
  ;[first, second] = await Promise.all([testDatabase(), testDatabase()])
  for (const { db } of [first, second])
    for (const [id, timezone] of Object.entries(TENANTS)) await insertTenant(db, { id, timezone })
  await makeDemo(first, Object.keys(TENANTS))
})
afterAll(() => Promise.all([first.drop(), second.drop()]))

async function makeDemo({ db }: TestDatabase, tenantIds: readonly string[]): Promise<void> {
  const folder = join(import.meta.dirname, 'demo')
  for (const name of (await readdir(folder)).toSorted()) {
    const sql = await sqlFile(join(folder, name))
    const values = { tenant_ids: `{${tenantIds.join(',')}}`, rows: '300', now: NOW }
    await db.query(sql.text, sql.bind(values))
  }
}

async function contents({ db }: TestDatabase): Promise<Record<string, unknown[]>> {
  const tables = [...Object.keys(TABLES), 'package_usage'].map(async (table) => {
    const rows = await db.query(`select * from customers.${table} order by tenant_id, id`)
    return [table, rows] as const
  })
  return Object.fromEntries(await Promise.all(tables))
}

it('a tenant has the asked number of rows, in every table some', async () => {
  const { package_usage, ...others } = await contents(first)
  const counts = Object.entries(others).map(([table, rows]) => [table, rows.length])
  expect(counts).toEqual(Object.entries(TABLES).map(([table, rows]) => [table, 2 * rows]))
  expect(package_usage?.length).toBeGreaterThan(10)
})

it('made again it changes nothing, and made elsewhere, one tenant at a time, it is the same', async () => {
  const before = await contents(first)
  await makeDemo(first, Object.keys(TENANTS))
  expect(await contents(first)).toEqual(before)
  for (const id of Object.keys(TENANTS).toReversed()) await makeDemo(second, [id])
  expect(await contents(second)).toEqual(before)
})

it('every KPI has something to show, and no two tenants show the same', async () => {
  const kpis = await kpisAt(first.db, Object.keys(TENANTS), NOW)
  for (const numbers of kpis.values()) {
    const { growthRate: _mayBeZero, ...counts } = numbers
    expect(Object.values(counts).filter((count) => count > 0)).toHaveLength(8)
    expect(numbers.customersWithPackages).toBeLessThan(numbers.totalCustomers)
    expect(numbers.customersWithRecentActivity).toBeLessThan(numbers.activeCustomers)
  }
  const [one, two] = [...kpis.values()]
  expect(one).not.toEqual(two)
})

it('what is told of a customer is what the sales say', async () => {
  const strays = await first.db.query(`
    select customer.id
    from customers.customers customer
    left join customers.sales sale
      on sale.tenant_id = customer.tenant_id and sale.customer_id = customer.id and not is_voided
    group by customer.tenant_id, customer.id
    having total_lifetime_value <> coalesce(sum(sales_net), 0) or last_visit_date is distinct from max(date)
        or customer_create_date > min(date)`)
  expect(strays).toEqual([])
})

it('nothing lies in the future, and some packages expire today', async () => {
  const [row] = await first.db.query(
    `
    select (select count(*)::int from customers.sales, tenant
            where tenant.id = tenant_id and date >= ($1::timestamptz at time zone timezone)::date) as sales,
           (select count(*)::int from customers.customers, tenant
            where tenant.id = tenant_id and customer_create_date > ($1::timestamptz at time zone timezone)::date)
             as customers,
           (select count(*) > 0 from customers.packages, tenant
            where tenant.id = tenant_id and expiration_date = ($1::timestamptz at time zone timezone)::date)
             as "isSomeLastDay"`,
    [NOW],
  )
  expect(row).toEqual({ sales: 0, customers: 0, isSomeLastDay: true })
})
