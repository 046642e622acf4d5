// Random tenants with random rows, beside those of all earlier runs: every answer is what a plain count of the tenant's own
// rows gives, alone and in a batch, live and in the view.
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { kpisAt, viewAt } from './kpis.ts'
import { naiveKpis } from './naive-kpis.ts'
import { tenantWith, type Customer, type Package, type Rows, type Sale } from './test-rows.ts'

const NOW = '2026-05-31T10:30:00.000Z'
const ZONES = ['UTC', 'America/Los_Angeles', 'Pacific/Kiritimati', 'Pacific/Pago_Pago']
// Of every tenant the same, so that a join without the tenant would mix them.
const PEOPLE = Array.from(
  { length: 8 },
  (_, i) => `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`,
)
const RUNS = 40

let database: TestDatabase

beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

// The borders of every window, on either side of the dateline.
const DAYS =
  '2026-03-01 2026-03-02 2026-03-03 2026-03-31 2026-04-01 2026-04-30 ' +
  '2026-05-01 2026-05-02 2026-05-15 2026-05-30 2026-05-31 2026-06-01'
const day = fc.constantFrom(...DAYS.split(' '))
const person = fc.constantFrom(...PEOPLE)

const customer: fc.Arbitrary<Partial<Customer>> = fc.record({
  id: person,
  customer_create_date: day,
  last_visit_date: fc.option(day, { nil: null }),
  total_lifetime_value: fc.nat(10_000_000).map((cents) => (cents / 100).toFixed(2)),
  is_active: fc.boolean(),
})
const bought: fc.Arbitrary<Partial<Package>> = fc.record({
  customer_id: fc.option(person, { nil: null }),
  purchase_date: day,
  expiration_date: fc.option(day, { nil: null }),
})
const sale: fc.Arbitrary<Partial<Sale>> = fc.record({
  customer_id: fc.option(person, { nil: null }),
  date: day,
  is_voided: fc.boolean(),
})

// A package belongs to somebody who is there, or to nobody.
const someRows: fc.Arbitrary<Rows> = fc
  .record({
    customers: fc.uniqueArray(customer, { selector: ({ id }) => id, maxLength: 8, size: 'max' }),
    packages: fc.array(bought, { maxLength: 12, size: 'max' }),
    sales: fc.array(sale, { maxLength: 12, size: 'max' }),
  })
  .map((rows) => {
    const known = new Set(rows.customers.map(({ id }) => id))
    const packages = rows.packages.filter(
      ({ customer_id }) => !customer_id || known.has(customer_id),
    )
    return { ...rows, packages }
  })

const someTenants = fc.array(fc.record({ timezone: fc.constantFrom(...ZONES), rows: someRows }), {
  minLength: 1,
  maxLength: 4,
})
const somePeriod = fc.oneof(
  fc.constant({}),
  day.map((dateFrom) => ({ dateFrom })),
  day.map((dateTo) => ({ dateTo })),
  fc.tuple(day, day).map((days) => {
    const [dateFrom = '', dateTo = ''] = days.toSorted()
    return { dateFrom, dateTo }
  }),
)

it('every tenant is answered from its own rows, the same alone and in a batch', async () => {
  const property = fc.asyncProperty(someTenants, somePeriod, async (given, period) => {
    const { db } = database
    const tenants = await Promise.all(
      given.map(({ rows, timezone }) => tenantWith(db, rows, timezone)),
    )
    const together = await kpisAt(
      db,
      tenants.map(({ id }) => id),
      NOW,
      period,
    )
    expect(together.size).toBe(tenants.length)
    for (const tenant of tenants) {
      const naive = naiveKpis(tenant, NOW, period)
      expect(together.get(tenant.id)).toEqual(naive)
      expect(await kpisAt(db, [tenant.id], NOW, period)).toEqual(new Map([[tenant.id, naive]]))
    }
  })
  await fc.assert(property, { numRuns: RUNS })
})

it('the view counts what the report counts', async () => {
  const property = fc.asyncProperty(someTenants, async (given) => {
    const { db } = database
    const tenants = await Promise.all(
      given.map(({ rows, timezone }) => tenantWith(db, rows, timezone)),
    )
    const view = await viewAt(db, NOW)
    for (const tenant of tenants) expect(view.get(tenant.id)).toEqual(naiveKpis(tenant, NOW))
  })
  await fc.assert(property, { numRuns: RUNS })
})
