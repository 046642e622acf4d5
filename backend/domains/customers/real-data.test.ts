// The customers of a telephone company, a tenant for each kind of contract, every number of them against the file.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { testApp, type TestApp } from '../../test/app.ts'
import { hasRealData } from '../../test/real-data.ts'
import { dayIn, daysAfter, monthStart, noonZone } from './days.ts'
import { Kpis, viewAt, kpisAt } from './kpis.ts'
import { CustomerList } from './list.ts'
import { CONTRACTS, daysSinceVisit, isAutomatic, nameOf, readTelcoData } from './telco-data.ts'
import { rowsOf, type Line } from './telco-data.ts'
import { tenantWith } from './test-rows.ts'

type Company = { id: string; lines: Line[]; token: string }

describe.skipIf(!hasRealData('customers'))('the customers of three kinds of contract', () => {
  let app: TestApp
  let now: string
  let today: string
  let all: Line[]
  let companies: Company[]

  beforeAll(async () => {
    app = await testApp()
    now = new Date().toISOString()
    const zone = noonZone(now)
    today = dayIn(zone, now)
    all = await readTelcoData()
    companies = []
    for (const contract of CONTRACTS) {
      const lines = all.filter((line) => line.Contract === contract)
      const { id } = await tenantWith(app.db, rowsOf(lines, today), zone)
      companies.push({ id, lines, token: await app.token({ role: 'admin', tenantId: id }) })
    }
    await app.post('/api/admin/refresh-kpis', {}, await app.token())
    for (const function_name of ['warmCustomerKpis', 'warmCustomerList'])
      await app.post('/api/cron/execute', { function_name }, await app.token())
  })
  afterAll(() => app.stop())

  it('everybody in the file is a customer of one of them', () => {
    expect(companies.map(({ lines }) => lines.length)).toEqual([3875, 1473, 1695])
    expect(all).toHaveLength(7043)
  })

  it('the KPIs are those of the file, in the view, in SQL, and over HTTP from the cache', async () => {
    const view = await viewAt(app.db, now)
    const live = await kpisAt(
      app.db,
      companies.map(({ id }) => id),
      now,
    )
    for (const { id, lines, token } of companies) {
      const expected = kpisOf(lines)
      expect(view.get(id)).toEqual(expected)
      expect(live.get(id)).toEqual(expected)
      for (const name of ['get_customer_kpis', 'get_customer_kpis_cached'])
        expect(await called(`${name}(tenant_id => '${id}')`)).toEqual(expected)
      const response = await app.get('/api/customers/kpis', token)
      expect(response.headers.get('x-cache')).toBe('HIT')
      expect(await response.json()).toEqual(expected)
    }
    expect(await called('get_customer_kpis()')).toEqual(kpisOf(all))
    expect(await called('get_customer_kpis_cached()')).toEqual(kpisOf(all))
  })

  const Answer = z.tuple([z.object({ kpis: Kpis })])

  async function called(call: string): Promise<Kpis> {
    return Answer.parse(await app.db.query(`select ${call} as kpis`))[0].kpis
  }

  it('a period of whole months has those who came in them', async () => {
    const dates = [monthStart(today, 12), daysAfter(monthStart(today, 6), -1)]
    for (const { lines, token } of companies) {
      const query = `dateFrom=${dates[0]}&dateTo=${dates[1]}`
      const response = await app.get(`/api/customers/kpis?${query}`, token)
      const kpis = Kpis.parse(await response.json())
      const until = stayed(lines).filter((line) => line['Tenure Months'] >= 7)
      expect(kpis).toMatchObject({
        totalCustomers: until.length,
        newCustomersThisMonth: until.filter((line) => line['Tenure Months'] <= 12).length,
        totalLifetimeValue: chargesOf(until),
      })
    }
  })

  const searches: [string, (line: Line) => boolean][] = [
    ['', () => true],
    ['search=lv', ({ customerID }) => customerID.includes('LV')],
    ['search=female%2044', (line) => line.gender === 'Female' && line.customerID.includes('44')],
    [
      'search=7-B&isActive=false',
      (line) => line.customerID.includes('7-B') && line.Churn === 'Yes',
    ],
    ['search=_', () => false],
    [
      'isActive=true&preferredContactMethod=LINE',
      (line) => line.Churn === 'No' && isAutomatic(line),
    ],
  ]
  it.each(searches)('?%s lists those of the file, page by page', async (query, isListed) => {
    for (const { lines, token } of companies) {
      const names = lines.filter(isListed).map(nameOf)
      const expected = names.toSorted((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1))
      const pages = await pagesOf(query, token)
      expect(pages.flatMap(({ customers }) => customers.map((one) => one.customer_name))).toEqual(
        expected,
      )
      for (const { pagination } of pages) expect(pagination.total).toBe(expected.length)
      expect(pages).toHaveLength(Math.max(1, Math.ceil(expected.length / 200)))
    }
  })

  async function pagesOf(query: string, token: string): Promise<CustomerList[]> {
    const lists: CustomerList[] = []
    for (let page = 1; ; page += 1) {
      const path = `/api/customers?${query}&limit=200&page=${page}`
      const list = CustomerList.parse(await (await app.get(path, token)).json())
      lists.push(list)
      if (page >= list.pagination.pages) return lists
    }
  }

  it('the first page is warm and has the KPIs', async () => {
    for (const { lines, token } of companies) {
      const response = await app.get('/api/customers', token)
      expect(response.headers.get('x-cache')).toBe('HIT')
      const { kpis, pagination, customers } = CustomerList.parse(await response.json())
      expect(kpis).toEqual(kpisOf(lines))
      expect(pagination.total).toBe(lines.length)
      expect(customers).toHaveLength(50)
    }
  })

  it('those who paid most come first, each with what the file says of him', async () => {
    for (const { lines, token } of companies) {
      const path = '/api/customers?sortBy=lifetimeValue&sortOrder=desc&limit=20'
      const { customers } = CustomerList.parse(await (await app.get(path, token)).json())
      const best = lines.toSorted((a, b) => paid(b) - paid(a)).slice(0, 20)
      expect(customers.map((one) => one.lifetime_spending)).toEqual(best.map(paid))
      for (const one of customers) {
        const line = lines.find(({ customerID }) => customerID === one.customer_code)
        expect(line && describedIn(line)).toMatchObject({
          total_bookings: one.total_bookings,
          active_packages: one.active_packages,
          total_packages: one.total_packages,
          transaction_count: one.transaction_count,
        })
      }
    }
  })
})

function kpisOf(lines: readonly Line[]): Kpis {
  const customers = stayed(lines)
  const count = (is: (line: Line) => boolean): number => customers.filter(is).length
  const [now, before] = [0, 1].map((tenure) => count((line) => line['Tenure Months'] === tenure))
  return {
    totalCustomers: customers.length,
    activeCustomers: count((line) => visitedWithin(line, 90)),
    newCustomersThisMonth: now ?? 0,
    newCustomersPreviousMonth: before ?? 0,
    growthRate: before ? rounded((((now ?? 0) - before) / before) * 100) : 0,
    totalLifetimeValue: chargesOf(customers),
    averageLifetimeValue: rounded(chargesOf(customers) / customers.length),
    customersWithPackages: count((line) => describedIn(line).active_packages > 0),
    customersWithRecentActivity: count(
      (line) =>
        visitedWithin(line, 30) ||
        (describedIn(line).transaction_count > 0 && line['Tenure Months'] <= 30),
    ),
  }
}

function visitedWithin(line: Line, days: number): boolean {
  return line['Tenure Months'] > 0 && daysSinceVisit(line) <= days
}

function stayed(lines: readonly Line[]): Line[] {
  return lines.filter((line) => line.Churn === 'No')
}

function paid(line: Line): number {
  return Number(line['Total Charges'])
}

function chargesOf(lines: readonly Line[]): number {
  return lines.reduce((cents, line) => cents + Math.round(paid(line) * 100), 0) / 100
}

function rounded(number: number): number {
  return Math.round(number * 100) / 100
}

function describedIn(line: Line) {
  const lasting = [line['Online Security'], line['Device Protection'], line['Tech Support']]
  const over = [line['Online Backup'], line['Streaming TV'], line['Streaming Movies']]
  return {
    total_bookings: line['Tenure Months'],
    active_packages: had(lasting),
    total_packages: had([...lasting, ...over]),
    transaction_count: isAutomatic(line) && line['Paperless Billing'] === 'Yes' ? 1 : 0,
  }
}

function had(services: readonly string[]): number {
  return services.filter((service) => service === 'Yes').length
}
