import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testApp } from '../../test/app.ts'
import { httpWorld, problemOf, type HttpWorld } from '../../test/http-world.ts'
import { dayIn, daysAfter } from './days.ts'
import { Kpis } from './kpis.ts'
import { CustomerList } from './list.ts'

const [KPIS, LIST] = ['/api/customers/kpis', '/api/customers']

let world: HttpWorld
let today: string

beforeAll(async () => {
  world = await httpWorld()
  today = dayIn('UTC', new Date())
  for (const [tenant, names] of [
    [world.a, ['Ada', 'Alan', 'Anna']],
    [world.b, ['Bob']],
  ] as const) {
    await world.db.query(
      `insert into customers.customers (tenant_id, customer_name, email, customer_create_date)
       select $1, name, 'somebody@mail.example', $3::date from unnest($2::text[]) name`,
      [tenant.id, names, daysAfter(today, -1)],
    )
  }
})
afterAll(() => world.stop())

async function list(query: string, token: string): Promise<CustomerList> {
  return CustomerList.parse(await (await world.get(`${LIST}${query}`, token)).json())
}

async function namesIn(query: string, token: string): Promise<string[]> {
  return (await list(query, token)).customers.map(({ customer_name }) => customer_name)
}

describe('who may see them', () => {
  it('members and admins see their own tenant’s, whole, and superadmins the one that they name', async () => {
    const { a, b, superadmin } = world
    for (const token of [a.tokens.admin, a.tokens.member, a.tokens.teamMember]) {
      expect(await namesIn('', token)).toEqual(['Ada', 'Alan', 'Anna'])
      const kpis = Kpis.parse(await (await world.get(KPIS, token)).json())
      expect(kpis.totalCustomers).toBe(3)
    }
    expect(await namesIn('', b.tokens.member)).toEqual(['Bob'])
    expect(await namesIn(`?tenant_id=${b.id}`, superadmin)).toEqual(['Bob'])
  })

  it.each([KPIS, LIST])(
    '%s of another tenant is not there, and nothing is without a token',
    async (path) => {
      const { a, b } = world
      for (const token of [a.tokens.admin, a.tokens.member]) {
        expect((await world.get(`${path}?tenant_id=${b.id}`, token)).status).toBe(404)
      }
      expect((await world.get(path)).status).toBe(401)
    },
  )
})

describe('what is asked', () => {
  it('a period is counted live, and is an answer of its own', async () => {
    const token = world.a.tokens.member
    const ask = async (query: string): Promise<number> =>
      Kpis.parse(await (await world.get(`${KPIS}?${query}`, token)).json()).totalCustomers
    expect(await ask('')).toBe(3)
    expect(await ask(`dateTo=${daysAfter(today, -2)}`)).toBe(0)
    expect(await ask(`dateFrom=${daysAfter(today, -9)}&dateTo=${today}`)).toBe(3)
    expect(await ask('dateFrom=&dateTo=')).toBe(3)
  })

  it('asking for what comes anyway is answered by the warm entry', async () => {
    const token = world.b.tokens.member
    await world.post('/api/cron/execute', { function_name: 'warmCustomerList' }, world.superadmin)
    const usual = 'page=1&limit=50&sortBy=fullName&sortOrder=asc&preferredContactMethod=all&search='
    for (const query of ['', `?${usual}`, '?search=%20&page=1']) {
      const response = await world.get(`${LIST}${query}`, token)
      expect(response.headers.get('x-cache')).toBe('HIT')
      expect(CustomerList.parse(await response.json()).kpis).toMatchObject({ totalCustomers: 1 })
    }
    const other = await world.get(`${LIST}?limit=51`, token)
    expect(other.headers.get('x-cache')).toBe('MISS')
  })

  it('a search is taken as it is', async () => {
    const token = world.a.tokens.member
    expect(await namesIn('?search=an', token)).toEqual(['Alan', 'Anna'])
    expect(await namesIn(`?search=${encodeURIComponent("%' or true --")}`, token)).toEqual([])
    expect(await namesIn('?search=%25', token)).toEqual([])
    const { pagination, kpis } = await list('?search=an&limit=1&page=2', token)
    expect(pagination).toEqual({ total: 2, pages: 2, current: 2, limit: 1 })
    expect(kpis).toEqual({})
  })

  it.each([
    [LIST, 'page=0', 'page'],
    [LIST, 'page=-1', 'page'],
    [LIST, 'page=1e3', 'page'],
    [LIST, 'page=1000000', 'page'],
    [LIST, 'limit=201', 'limit'],
    [LIST, 'limit=abc', 'limit'],
    [LIST, 'sortBy=customer_name', 'sortBy'],
    [LIST, 'sortOrder=random()', 'sortOrder'],
    [LIST, 'isActive=yes', 'isActive'],
    [LIST, 'registrationDateFrom=2026-02-30', 'registrationDateFrom'],
    [LIST, 'lastVisitTo=yesterday', 'lastVisitTo'],
    [LIST, 'preferredContactMethod=Fax', 'preferredContactMethod'],
    [LIST, `search=${'x'.repeat(101)}`, 'search'],
    [LIST, 'search=a%00b', 'search'],
    [LIST, 'search=a&search=b', 'search'],
    [KPIS, 'dateFrom=infinity', 'dateFrom'],
    [KPIS, 'dateFrom=0001-01-01', 'dateFrom'],
    [KPIS, 'dateTo=9999-12-31', 'dateTo'],
    [KPIS, 'dateFrom=2026-05-02&dateTo=2026-05-01', 'dateTo'],
  ])('%s?%s is refused, naming %3$s', async (path, query, field) => {
    const problem = await problemOf(await world.get(`${path}?${query}`, world.a.tokens.member))
    expect(problem).toMatchObject({ status: 400, field })
  })

  it.each(['1900-01-01', '2199-12-31'])('%s can be reckoned with', async (day) => {
    for (const query of [`dateFrom=${day}`, `dateTo=${day}`, `dateFrom=1900-01-01&dateTo=${day}`]) {
      const response = await world.get(`${KPIS}?${query}`, world.a.tokens.member)
      expect(response.status).toBe(200)
    }
    expect((await world.get(`${LIST}?page=999999&limit=200`, world.a.tokens.member)).status).toBe(
      200,
    )
  })
})

it('a tenant that came after the last refresh has its KPIs at once', async () => {
  const id = randomUUID()
  await world.db.query("insert into tenant (id, name) values ($1, 'New')", [id])
  await world.db.query(
    `insert into customers.customers (tenant_id, customer_name, email) values ($1, 'First', 'a@b.example')`,
    [id],
  )
  const cached = await world.db.query('select from customer_kpis_cache where tenant_id = $1', [id])
  expect(cached).toEqual([])
  const token = await world.token({ role: 'admin', tenantId: id })
  const kpis = Kpis.parse(await (await world.get(KPIS, token)).json())
  expect(kpis).toMatchObject({ totalCustomers: 1, newCustomersThisMonth: 1 })
})

it('without views the answers are the same', async () => {
  const { databaseUrl, superadmin, a, b } = world
  await world.post('/api/admin/refresh-kpis', {}, superadmin)
  const other = await testApp({ databaseUrl, settings: { readsViews: false } })
  for (const { tokens } of [a, b]) {
    for (const path of [KPIS, LIST, `${LIST}?page=2&limit=1`]) {
      const fresh = `${path}${path.includes('?') ? '&' : '?'}bust_cache=true`
      const answers = [await world.get(fresh, tokens.admin), await other.get(fresh, tokens.admin)]
      const [withViews, without] = await Promise.all(answers.map((answer) => answer.json()))
      expect(without).toEqual(withViews)
    }
  }
  await other.stop()
})
