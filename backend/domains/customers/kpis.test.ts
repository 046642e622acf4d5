import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { kpisAt, viewAt, type Kpis, type Period } from './kpis.ts'
import { tenantWith, type Rows } from './test-rows.ts'

const NOW = '2026-05-31T12:00:00.000Z'

let database: TestDatabase

beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

type How = { timezone?: string; now?: string } & Period

/** The KPIs of a tenant with these rows, which the report and the view agree on. */
async function kpisFor(
  rows: Rows,
  { timezone = 'UTC', now = NOW, ...period }: How = {},
): Promise<Kpis> {
  const { db } = database
  const tenant = await tenantWith(db, rows, timezone)
  const live = (await kpisAt(db, [tenant.id], now, period)).get(tenant.id)
  if (!live) throw new Error('No answer came.')
  const isPeriod = Object.keys(period).length > 0
  expect(isPeriod ? live : (await viewAt(db, now)).get(tenant.id)).toEqual(live)
  return live
}

const inactive = { is_active: false }

describe('the nine numbers', () => {
  it('a tenant without customers has zeros', async () => {
    const kpis = await kpisFor({})
    expect(new Set(Object.values(kpis))).toEqual(new Set([0]))
  })

  it('known rows give known numbers', async () => {
    const customers = [
      { id: id(1), customer_create_date: '2026-05-01', last_visit_date: '2026-05-31' },
      { id: id(2), customer_create_date: '2026-05-31', last_visit_date: '2026-03-02' },
      { id: id(3), customer_create_date: '2026-05-30', last_visit_date: '2026-03-01' },
      { id: id(4), customer_create_date: '2026-04-30', last_visit_date: null },
      { id: id(5), customer_create_date: '2026-04-01', total_lifetime_value: '0.10' },
      { id: id(6), customer_create_date: '2026-03-31', total_lifetime_value: '9999999999.99' },
      { id: id(7), customer_create_date: '2026-05-02', last_visit_date: '2026-05-02', ...inactive },
    ]
    expect(await kpisFor({ customers })).toEqual({
      totalCustomers: 6,
      activeCustomers: 2,
      newCustomersThisMonth: 3,
      newCustomersPreviousMonth: 2,
      growthRate: 50,
      totalLifetimeValue: 10_000_000_000.09,
      averageLifetimeValue: 1_666_666_666.68,
      customersWithPackages: 0,
      customersWithRecentActivity: 1,
    })
  })

  it('growth is zero after a month without new customers, negative after a better one, and rounded', async () => {
    const growths = [
      { '2026-05-10': 3 },
      { '2026-04-10': 3, '2026-05-10': 1 },
      { '2026-04-10': 3, '2026-05-10': 4 },
      { '2026-04-10': 1 },
    ]
    const rates = []
    for (const days of growths) rates.push((await kpisFor(registered(days))).growthRate)
    expect(rates).toEqual([0, -66.67, 33.33, -100])
  })

  it('a customer with several packages counts once, and what expires today still counts', async () => {
    const customers = Array.from({ length: 7 }, (_, i) => ({ id: id(i), is_active: i !== 6 }))
    const packages = [
      { customer_id: id(0), expiration_date: '2026-05-31' },
      { customer_id: id(0), expiration_date: '2026-06-30' },
      { customer_id: id(0), expiration_date: null },
      { customer_id: id(1), expiration_date: '2026-05-30' },
      { customer_id: id(2), expiration_date: null },
      { customer_id: id(2), expiration_date: '2026-05-30' },
      { customer_id: null, expiration_date: null },
      { customer_id: id(3), expiration_date: '2026-05-31' },
      { customer_id: id(6), expiration_date: null },
    ]
    const kpis = await kpisFor({ customers, packages })
    expect(kpis).toMatchObject({ totalCustomers: 6, customersWithPackages: 3 })
  })

  it('recent is who came or bought in the last 30 days; voided sales and bulk updates say nothing', async () => {
    const customers = [
      { id: id(0), last_visit_date: '2026-05-01' },
      { id: id(1), last_visit_date: '2026-04-30' },
      { id: id(2) },
      { id: id(3) },
      { id: id(4) },
      { id: id(5), last_visit_date: null },
    ]
    const sales = [
      { customer_id: id(2), date: '2026-05-01' },
      { customer_id: id(2), date: '2026-05-20' },
      { customer_id: id(3), date: '2026-04-30' },
      { customer_id: id(4), date: '2026-05-20', is_voided: true },
      { customer_id: id(5), date: '2026-05-31' },
      { customer_id: null, date: '2026-05-31' },
    ]
    const { id: tenant } = await tenantWith(database.db, { customers, sales })
    await database.db.query('update customers.customers set notes = $1, updated_at = $2', [
      'x',
      NOW,
    ])
    const kpis = (await kpisAt(database.db, [tenant], NOW)).get(tenant)
    expect(kpis?.customersWithRecentActivity).toBe(3)
  })

  it('45 customers with 3 packages and 4 sales each are 45', async () => {
    const customers = Array.from({ length: 45 }, (_, i) => ({
      id: id(i),
      total_lifetime_value: '10',
    }))
    const packages = customers.flatMap((one) => times(3, { customer_id: one.id }))
    const sales = customers.flatMap((one) => times(4, { customer_id: one.id, date: '2026-05-20' }))
    expect(await kpisFor({ customers, packages, sales })).toMatchObject({
      totalCustomers: 45,
      totalLifetimeValue: 450,
      averageLifetimeValue: 10,
      customersWithPackages: 45,
      customersWithRecentActivity: 45,
    })
  })
})

describe('the day is the tenant’s own', () => {
  // Kiritimati is fourteen hours ahead of UTC, and Pago Pago eleven behind: there it is never the same day.
  const days: [string, string, string][] = [
    ['Pacific/Kiritimati', '2026-05-31T09:59:59.999Z', '2026-05-31'],
    ['Pacific/Kiritimati', '2026-05-31T10:00:00.000Z', '2026-06-01'],
    ['Pacific/Pago_Pago', '2026-06-01T10:59:59.999Z', '2026-05-31'],
    ['Pacific/Pago_Pago', '2026-06-01T11:00:00.000Z', '2026-06-01'],
    ['UTC', '2026-05-31T23:59:59.999Z', '2026-05-31'],
    ['UTC', '2026-06-01T00:00:00.000Z', '2026-06-01'],
  ]
  it.each(days)('in %s it is at %s the %s', async (timezone, now, today) => {
    const isJune = today === '2026-06-01'
    const customers = [
      { id: id(0), customer_create_date: '2026-05-01', last_visit_date: '2026-05-01' },
      { customer_create_date: '2026-04-30', last_visit_date: '2026-03-02' },
      { customer_create_date: '2026-06-01' },
    ]
    const packages = [{ customer_id: id(0), expiration_date: '2026-05-31' }]
    expect(await kpisFor({ customers, packages }, { timezone, now })).toMatchObject({
      activeCustomers: isJune ? 1 : 2,
      newCustomersThisMonth: isJune ? 1 : 2,
      newCustomersPreviousMonth: 1,
      customersWithPackages: isJune ? 0 : 1,
      customersWithRecentActivity: isJune ? 0 : 1,
    })
  })
})

describe('a period', () => {
  const customers = [
    { id: id(0), customer_create_date: '2026-03-01', last_visit_date: '2026-03-10' },
    { id: id(1), customer_create_date: '2026-03-10', last_visit_date: '2026-03-11' },
    { id: id(2), customer_create_date: '2026-02-19', last_visit_date: '2026-02-28' },
    { id: id(3), customer_create_date: '2026-02-18', last_visit_date: null },
    { id: id(4), customer_create_date: '2026-03-11', last_visit_date: '2026-03-12' },
  ].map((customer) => ({ ...customer, total_lifetime_value: '8' }))
  const packages = [
    { customer_id: id(0), purchase_date: '2026-03-10', expiration_date: '2026-06-01' },
    { customer_id: id(1), purchase_date: '2026-03-11', expiration_date: null },
    { customer_id: id(2), purchase_date: '2026-01-01', expiration_date: '2026-03-01' },
    { customer_id: id(3), purchase_date: '2026-01-01', expiration_date: '2026-02-28' },
  ]
  const sales = [{ customer_id: id(3), date: '2026-03-01' }]
  const rows = { customers, packages, sales }

  it('is what all numbers are about, and is compared with the equally long one before it', async () => {
    const period = { dateFrom: '2026-03-01', dateTo: '2026-03-10' }
    expect(await kpisFor(rows, period)).toEqual({
      totalCustomers: 4,
      activeCustomers: 1,
      newCustomersThisMonth: 2,
      newCustomersPreviousMonth: 1,
      growthRate: 100,
      totalLifetimeValue: 32,
      averageLifetimeValue: 8,
      customersWithPackages: 2,
      customersWithRecentActivity: 2,
    })
  })

  it('without a beginning is all until its end, and was preceded by nothing', async () => {
    expect(await kpisFor(rows, { dateTo: '2026-03-10' })).toMatchObject({
      totalCustomers: 4,
      newCustomersThisMonth: 4,
      newCustomersPreviousMonth: 0,
      growthRate: 0,
      activeCustomers: 2,
      customersWithPackages: 3,
    })
  })

  it('without an end ends on the tenant’s today', async () => {
    const now = '2026-03-11T11:00:00.000Z'
    const period = { dateFrom: '2026-03-11', now }
    const there = await kpisFor(rows, { ...period, timezone: 'Pacific/Kiritimati' })
    expect(there).toMatchObject({ activeCustomers: 2, newCustomersPreviousMonth: 1 })
    const here = await kpisFor(rows, period)
    expect(here).toMatchObject({ activeCustomers: 1, newCustomersPreviousMonth: 1 })
  })
})

function id(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`
}

function times<Row>(count: number, row: Row): Row[] {
  return Array.from({ length: count }, () => row)
}

function registered(days: Record<string, number>): Rows {
  const customers = Object.entries(days).flatMap(([customer_create_date, count]) =>
    times(count, { customer_create_date }),
  )
  return { customers }
}
