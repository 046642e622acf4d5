import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { customerWorld, named, NOW, type CustomerWorld } from './customer-world.ts'
import { kpisAt } from './kpis.ts'
import { listsOf } from './list.ts'
import { tenantWith, type Customer } from './test-rows.ts'

let world: CustomerWorld

beforeAll(async () => {
  world = await customerWorld()
})
afterAll(() => world.end())

describe('paging', () => {
  const seven = named('g', 'A', 'c', 'B', 'f', 'D', 'e')

  it('every customer is on one page, and the pages are counted', async () => {
    const tenant = await world.tenantOf(seven)
    const pages = []
    for (const page of ['', '2', '3', '4']) {
      const { customers, pagination } = await world.listOf(tenant, { page, limit: '3' })
      expect(pagination).toEqual({ total: 7, pages: 3, current: Number(page || 1), limit: 3 })
      pages.push(customers.map(({ customer_name }) => customer_name))
    }
    expect(pages).toEqual([['A', 'B', 'c'], ['D', 'e', 'f'], ['g'], []])
  })

  it('with a search the total is that of all pages', async () => {
    const tenant = await world.tenantOf([...seven, ...named('apple', 'a pear', 'banana')])
    const params = { search: 'a', limit: '2', page: '2' }
    const { customers, pagination } = await world.listOf(tenant, params)
    expect(pagination).toEqual({ total: 4, pages: 2, current: 2, limit: 2 })
    expect(customers.map(({ customer_name }) => customer_name)).toEqual(['apple', 'banana'])
  })

  it('a tenant without customers has no page', async () => {
    const { customers, pagination } = await world.listOf(await world.tenantOf([]))
    expect(customers).toEqual([])
    expect(pagination).toEqual({ total: 0, pages: 0, current: 1, limit: 50 })
  })

  it('50 customers are on a page unless asked otherwise', async () => {
    const tenant = await world.tenantOf(Array.from({ length: 51 }, () => ({})))
    expect((await world.listOf(tenant)).customers).toHaveLength(50)
    expect((await world.listOf(tenant, { limit: '200' })).customers).toHaveLength(51)
  })
})

describe('the order', () => {
  const people: Partial<Customer>[] = [
    person('b', 'CUS-1000', '2026-01-02', null, '5'),
    person('C', 'CUS-999', '2026-01-02', '2026-03-01', '10'),
    person('a', 'CUS-100', '2026-01-01', '2026-03-02', '9.5'),
    person('d', 'CUS-001', '2026-01-03', null, '5'),
  ]
  const orders: [string, string, string][] = [
    ['', '', 'abCd'],
    ['fullName', 'desc', 'dCba'],
    ['customerCode', 'asc', 'daCb'],
    ['customerCode', 'desc', 'bCad'],
    ['registrationDate', '', 'abCd'],
    ['registrationDate', 'desc', 'dCba'],
    ['lastVisit', 'asc', 'Cabd'],
    ['lastVisit', 'desc', 'aCdb'],
    ['lifetimeValue', 'asc', 'bdaC'],
    ['lifetimeValue', 'desc', 'Cadb'],
  ]
  it.each(orders)('by %s %s is %s', async (sortBy, sortOrder, names) => {
    const tenant = await world.tenantOf(people)
    expect((await world.namesIn(tenant, { sortBy, sortOrder })).join('')).toBe(names)
  })

  it('customers that nothing tells apart stay in their order over the pages', async () => {
    const tenant = await world.tenantOf(Array.from({ length: 30 }, () => ({})))
    for (const sortBy of ['fullName', 'lastVisit', 'lifetimeValue', 'registrationDate']) {
      const ids: string[] = []
      for (let page = 1; page <= 8; page += 1) {
        const { customers } = await world.listOf(tenant, { sortBy, page: String(page), limit: '4' })
        ids.push(...customers.map(({ id }) => id))
      }
      expect(ids).toEqual([...new Set(ids)].toSorted())
      expect(ids).toHaveLength(30)
    }
  })
})

describe('with the list', () => {
  it('the KPIs come on the first page, unless something is searched', async () => {
    const tenant = await world.tenantOf(named('a', 'b', 'c'))
    const kpis = (await kpisAt(world.db, [tenant], NOW)).get(tenant)
    for (const params of [{}, { page: '1' }, { isActive: 'true', sortBy: 'lastVisit' }]) {
      expect((await world.listOf(tenant, params)).kpis).toEqual(kpis)
    }
    for (const params of [{ page: '2' }, { search: 'a' }]) {
      expect((await world.listOf(tenant, params)).kpis).toEqual({})
    }
  })

  it('two tenants with the same customers have each their own packages and sales', async () => {
    const id = '00000000-0000-4000-8000-000000000001'
    const customers = [{ id, customer_name: 'Ada' }]
    const packages = ['2026-05-30', '2026-05-31', null].map((expiration_date) => ({
      customer_id: id,
      expiration_date,
    }))
    const sale = { customer_id: id, receipt_number: 'R-1', sales_net: '10.00', date: '2026-05-01' }
    const sales = [
      sale,
      { ...sale, sales_net: '20.01', date: '2026-05-02' },
      { ...sale, receipt_number: 'R-2', date: '2026-05-03' },
      { ...sale, receipt_number: 'R-3', date: '2026-05-04', is_voided: true },
    ]
    const a = await tenantWith(world.db, { customers, packages, sales })
    const b = await tenantWith(world.db, { customers }, 'Pacific/Kiritimati')
    const lists = await listsOf(world.db, [a.id, b.id], NOW)
    expect(lists.get(a.id)?.customers).toMatchObject([
      {
        active_packages: 2,
        total_packages: 3,
        first_purchase_date: '2026-05-01',
        last_purchase_date: '2026-05-03',
        transaction_count: 2,
        average_transaction_value: 20.01,
      },
    ])
    expect(lists.get(b.id)?.customers).toMatchObject([
      {
        active_packages: 0,
        total_packages: 0,
        first_purchase_date: null,
        transaction_count: 0,
        average_transaction_value: 0,
      },
    ])
  })

  it('the status goes by the last visit, on the tenant’s own day', async () => {
    const days = ['2026-03-02', '2026-03-01', '2025-05-31', '2025-05-30', null]
    const people = days.map((last_visit_date, i) => ({ customer_name: `${i}`, last_visit_date }))
    const statuses = async (timezone: string): Promise<string[]> => {
      const { customers } = await world.listOf(await world.tenantOf(people, timezone))
      return customers.map(({ customer_status }) => customer_status)
    }
    expect(await statuses('UTC')).toEqual(['Active', 'Inactive', 'Inactive', 'Dormant', 'New'])
    const there = ['Inactive', 'Inactive', 'Dormant', 'Dormant', 'New']
    expect(await statuses('Pacific/Kiritimati')).toEqual(there)
  })
})

function person(
  ...[customer_name, customer_code, customer_create_date, last_visit_date, total_lifetime_value]: [
    string,
    string,
    string,
    string | null,
    string,
  ]
): Partial<Customer> {
  return {
    customer_name,
    customer_code,
    customer_create_date,
    last_visit_date,
    total_lifetime_value,
  }
}
