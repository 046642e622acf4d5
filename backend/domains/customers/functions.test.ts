// The functions that people call in psql.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { daysAfter, dayIn, noonZone } from './days.ts'
import { Kpis, kpisAt } from './kpis.ts'
import { naiveKpis } from './naive-kpis.ts'
import { tenantWith, type Rows, type Tenant } from './test-rows.ts'

let database: TestDatabase
let now: string
let tenants: Tenant[]

const Answer = z.tuple([z.object({ kpis: Kpis.nullable() })])

beforeAll(async () => {
  database = await testDatabase()
  now = new Date().toISOString()
  const timezone = noonZone(now)
  const today = dayIn(timezone, now)
  tenants = [
    await tenantWith(database.db, rowsOn(today, 7), timezone),
    await tenantWith(database.db, rowsOn(today, 4), timezone),
  ]
  const asleep = await tenantWith(database.db, rowsOn(today, 5), timezone)
  await database.db.query('update tenant set is_active = false where id = $1', [asleep.id])
  await database.db.query('select refresh_customer_kpis_cache()')
})
afterAll(() => database.drop())

function rowsOn(today: string, count: number): Rows {
  const ids = Array.from({ length: count }, (_, i) => `00000000-0000-4000-8000-00000000000${i}`)
  const customers = ids.map((id, i) => ({
    id,
    customer_create_date: daysAfter(today, -20 * i),
    last_visit_date: daysAfter(today, -15 * i),
    total_lifetime_value: `${i}.10`,
  }))
  const packages = ids.map((customer_id, i) => ({
    customer_id,
    expiration_date: daysAfter(today, i - 3),
  }))
  return { customers, packages }
}

async function kpis(call: string, values: readonly unknown[] = []): Promise<Kpis | null> {
  return Answer.parse(await database.db.query(`select ${call} as kpis`, values))[0].kpis
}

/** All tenants that are active, as if they were one. */
function together(): Tenant {
  const [one, two] = tenants
  if (!one || !two) throw new Error('There are no tenants.')
  const rows = {
    customers: [
      ...one.rows.customers,
      ...two.rows.customers.map((row) => ({ ...row, id: another(row.id) })),
    ],
    packages: [
      ...one.rows.packages,
      ...two.rows.packages.map((row) => ({
        ...row,
        customer_id: row.customer_id && another(row.customer_id),
      })),
    ],
    sales: [],
  }
  return { ...one, rows }
}

describe.each(['get_customer_kpis', 'get_customer_kpis_cached'])('%s', (name) => {
  it('without a tenant counts all active ones together', async () => {
    expect(await kpis(`${name}()`)).toEqual(naiveKpis(together(), now))
  })

  it('with a tenant counts that one', async () => {
    for (const tenant of tenants) {
      expect(await kpis(`${name}(tenant_id => $1)`, [tenant.id])).toEqual(naiveKpis(tenant, now))
    }
  })

  it('knows nothing of a tenant that is not there', async () => {
    expect(await kpis(`${name}(tenant_id => gen_random_uuid())`)).toBeNull()
  })
})

it('the live function takes a period', async () => {
  const [tenant] = tenants
  if (!tenant) throw new Error('There are no tenants.')
  const today = dayIn(tenant.timezone, now)
  const [dateFrom, dateTo] = [daysAfter(today, -60), daysAfter(today, -20)]
  const call = 'get_customer_kpis($1, $2, $3)'
  const both = await kpis(call, [dateFrom, dateTo, tenant.id])
  expect(both).toEqual(naiveKpis(tenant, now, { dateFrom, dateTo }))
  const open = await kpis(call, [dateFrom, null, tenant.id])
  expect(open).toEqual(naiveKpis(tenant, now, { dateFrom }))
})

describe('between a change and the refresh', () => {
  it('the cached function and the report tell what the view held, the live one does not', async () => {
    const { db } = database
    const before = await kpis('get_customer_kpis_cached()')
    const { timezone } = together()
    const late = await tenantWith(db, { customers: [{}] }, timezone)
    await db.query('select refresh_customer_kpis_cache()')
    await db.query('delete from customers.customers where tenant_id = $1', [late.id])
    const total = async (call: string): Promise<unknown> => (await kpis(call))?.totalCustomers
    expect(await total('get_customer_kpis_cached()')).toBe(Number(before?.totalCustomers) + 1)
    expect(await total('get_customer_kpis()')).toBe(before?.totalCustomers)
    const tomorrow = `${daysAfter(dayIn(timezone, now), 1)}T12:00:00Z`
    const totals = []
    for (const time of [new Date().toISOString(), tomorrow]) {
      totals.push((await kpisAt(db, [late.id], time)).get(late.id)?.totalCustomers)
    }
    // On another day than the view's its row is not used.
    expect(totals).toEqual([1, 0])
    await db.query('select refresh_customer_kpis_cache()')
    expect(await total('get_customer_kpis_cached()')).toBe(before?.totalCustomers)
  })
})

function another(id: string): string {
  return id.replace(/^0/, '1')
}
