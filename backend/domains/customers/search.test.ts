import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { listsOf, type CustomerList, type ListParams } from './list.ts'
import { tenantWith, type Customer } from './test-rows.ts'

const NOW = '2026-05-31T12:00:00.000Z'

let database: TestDatabase

beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

async function listOf(tenantId: string, params: ListParams = {}, now = NOW): Promise<CustomerList> {
  const list = (await listsOf(database.db, [tenantId], now, params)).get(tenantId)
  if (!list) throw new Error('No answer came.')
  return list
}

async function tenantOf(
  customers: readonly Partial<Customer>[],
  timezone = 'UTC',
): Promise<string> {
  return (await tenantWith(database.db, { customers }, timezone)).id
}

async function namesIn(tenantId: string, params: ListParams = {}): Promise<string[]> {
  return (await listOf(tenantId, params)).customers.map(({ customer_name }) => customer_name)
}

function named(...names: string[]): Partial<Customer>[] {
  return names.map((customer_name) => ({ customer_name }))
}

describe('searching', () => {
  it.each(['%', '_', '\\', "'", '"', '*', '$1', "' or true --", '.', '|', '(', '[a', ',', '{}'])(
    '%s stands for itself',
    async (search) => {
      const tenant = await tenantOf(named(`x${search}y`, 'xzy', 'x\ty'))
      expect(await namesIn(tenant, { search })).toEqual([`x${search}y`])
      expect(await namesIn(tenant, { search: `${search}n` })).toEqual([])
    },
  )

  it('what consists of wildcards and escapes finds nobody who does not', async () => {
    const tenant = await tenantOf(named('Ada', 'Bob'))
    for (const search of ['%%', 'A%a', '_da', 'a\\', '\\%', '%\\']) {
      expect(await namesIn(tenant, { search })).toEqual([])
    }
  })

  const people = [
    {
      customer_name: 'Ada Lovelace',
      customer_code: 'VIP-7',
      contact_number: '081-234-5678',
      email: 'ada@engine.example',
    },
    { customer_name: 'Müller & Söhne', contact_number: '+49 30 1234567', email: null },
    { customer_name: 'Bob', contact_number: null, email: 'bob@mail.example' },
  ]
  const searches: [string, string[]][] = [
    ['lovelace', ['Ada Lovelace']],
    ['LACE ada', ['Ada Lovelace']],
    ['ada bob', []],
    ['vip-7', ['Ada Lovelace']],
    ['@ENGINE', ['Ada Lovelace']],
    ['mÜLLER', ['Müller & Söhne']],
    ['0812345678', ['Ada Lovelace']],
    ['+66 81 234 5678', ['Ada Lovelace']],
    ['(81) 234', ['Ada Lovelace']],
    ['030 1234567', ['Müller & Söhne']],
    ['301234567', ['Müller & Söhne']],
    ['2345', ['Ada Lovelace', 'Müller & Söhne']],
    ['mail.example', ['Bob']],
    ['example', ['Ada Lovelace', 'Bob']],
  ]
  it.each(searches)('"%s" finds %j', async (search, names) => {
    expect(await namesIn(await tenantOf(people), { search })).toEqual(names)
  })
})

describe('filters', () => {
  const people: Partial<Customer>[] = [
    { customer_name: 'a', is_active: false, customer_create_date: '2026-01-31' },
    { customer_name: 'b', customer_create_date: '2026-02-01', last_visit_date: '2026-05-01' },
    { customer_name: 'c', customer_create_date: '2026-02-28', last_visit_date: '2026-05-31' },
    { customer_name: 'd', customer_create_date: '2026-03-01', last_visit_date: null },
    { customer_name: 'e', preferred_contact_method: 'LINE' },
    { customer_name: 'f', preferred_contact_method: 'Email' },
  ]
  const filters: [ListParams, string][] = [
    [{}, 'abcdef'],
    [{ isActive: 'true' }, 'bcdef'],
    [{ isActive: 'false' }, 'a'],
    [{ registrationDateFrom: '2026-02-01' }, 'bcd'],
    [{ registrationDateFrom: '2026-02-01', registrationDateTo: '2026-02-28' }, 'bc'],
    [{ registrationDateTo: '2026-01-31' }, 'aef'],
    [{ lastVisitFrom: '2026-05-01' }, 'bc'],
    [{ lastVisitFrom: '2026-05-02', lastVisitTo: '2026-05-31' }, 'c'],
    [{ lastVisitTo: '2026-05-01' }, 'abef'],
    [{ preferredContactMethod: 'LINE' }, 'e'],
    [{ isActive: 'true', registrationDateTo: '2026-02-01', search: '081' }, 'bef'],
  ]
  it.each(filters)('%j leaves %s', async (params, names) => {
    const tenant = await tenantOf(people)
    expect((await namesIn(tenant, params)).join('')).toBe(names)
    expect((await listOf(tenant, params)).pagination.total).toBe(names.length)
  })
})
