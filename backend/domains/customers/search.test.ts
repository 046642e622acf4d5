import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { customerWorld, named, type CustomerWorld } from './customer-world.ts'
import type { ListParams } from './list.ts'
import type { Customer } from './test-rows.ts'

let world: CustomerWorld

beforeAll(async () => {
  world = await customerWorld()
})
afterAll(() => world.end())

describe('searching', () => {
  it.each(['%', '_', '\\', "'", '"', '*', '$1', "' or true --", '.', '|', '(', '[a', ',', '{}'])(
    '%s stands for itself',
    async (search) => {
      const tenant = await world.tenantOf(named(`x${search}y`, 'xzy', 'x\ty'))
      expect(await world.namesIn(tenant, { search })).toEqual([`x${search}y`])
      expect(await world.namesIn(tenant, { search: `${search}n` })).toEqual([])
    },
  )

  it('what consists of wildcards and escapes finds nobody who does not', async () => {
    const tenant = await world.tenantOf(named('Ada', 'Bob'))
    for (const search of ['%%', 'A%a', '_da', 'a\\', '\\%', '%\\']) {
      expect(await world.namesIn(tenant, { search })).toEqual([])
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
    expect(await world.namesIn(await world.tenantOf(people), { search })).toEqual(names)
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
    const tenant = await world.tenantOf(people)
    expect((await world.namesIn(tenant, params)).join('')).toBe(names)
    expect((await world.listOf(tenant, params)).pagination.total).toBe(names.length)
  })
})
