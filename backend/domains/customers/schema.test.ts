import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { dayIn } from './days.ts'
import { tenantWith } from './test-rows.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

const register = `insert into customers.customers (tenant_id, customer_name, email)
                  select $1, $2, 'somebody@mail.example' from generate_series(1, $3::int)`

async function register3(tenantId: string): Promise<void> {
  await database.db.query(register, [tenantId, 'Somebody', 3])
}

async function codesOf(tenantId: string): Promise<string[]> {
  const rows = await database.db.query<{ customer_code: string }>(
    `select customer_code from customers.customers where tenant_id = $1
     order by length(customer_code), customer_code`,
    [tenantId],
  )
  return rows.map(({ customer_code }) => customer_code)
}

describe('customer codes', () => {
  it('every tenant counts its own customers from CUS-001 on', async () => {
    const [a, b] = [await tenantWith(database.db, {}), await tenantWith(database.db, {})]
    for (const { id } of [a, b, a]) await register3(id)
    expect(await codesOf(b.id)).toEqual(['CUS-001', 'CUS-002', 'CUS-003'])
    expect((await codesOf(a.id)).at(-1)).toBe('CUS-006')
  })

  it('after CUS-999 comes CUS-1000', async () => {
    const { id } = await tenantWith(database.db, { customers: [{ customer_code: 'CUS-998' }] })
    await register3(id)
    expect(await codesOf(id)).toEqual(['CUS-998', 'CUS-999', 'CUS-1000', 'CUS-1001'])
  })

  it('codes that were given stay, and counting goes on after the highest and over those in its way', async () => {
    const given = ['CUS-007', 'VIP-1', 'CUS-x', 'CUS-1 000']
    const customers = given.map((customer_code) => ({ customer_code }))
    const { id } = await tenantWith(database.db, { customers })
    await register3(id)
    await database.db.query(
      `insert into customers.customers (tenant_id, customer_code, customer_name, email)
       values ($1, 'CUS-011', 'Given', 'a@mail.example'), ($1, 'CUS-012', 'Given', 'a@mail.example')`,
      [id],
    )
    await register3(id)
    const counted = (await codesOf(id)).filter((code) => /^CUS-\d+$/.test(code))
    expect(counted).toEqual(
      [7, 8, 9, 10, 11, 12, 13, 14, 15].map((number) => `CUS-${String(number).padStart(3, '0')}`),
    )
  })

  it('ten writers at once give every customer a code of his own', async () => {
    const { id } = await tenantWith(database.db, {})
    await Promise.all(Array.from({ length: 10 }, () => register3(id)))
    const expected = Array.from({ length: 30 }, (_, i) => `CUS-${String(i + 1).padStart(3, '0')}`)
    expect(await codesOf(id)).toEqual(expected)
  })
})

describe('a customer', () => {
  it.each(['Pacific/Kiritimati', 'Pacific/Pago_Pago'])(
    'is registered on the day that it is in %s',
    async (timezone) => {
      const { id } = await tenantWith(database.db, {}, timezone)
      const before = dayIn(timezone, new Date())
      await register3(id)
      const [row] = await database.db.query<{ day: string }>(
        'select distinct customer_create_date::text as day from customers.customers where tenant_id = $1',
        [id],
      )
      expect([before, dayIn(timezone, new Date())]).toContain(row?.day)
    },
  )

  it('can be reached by telephone or e-mail', async () => {
    const { id } = await tenantWith(database.db, {})
    const add = (contact: string | null, email: string | null): Promise<unknown> =>
      database.db.query(
        `insert into customers.customers (tenant_id, customer_name, contact_number, email)
         values ($1, 'Somebody', $2, $3)`,
        [id, contact, email],
      )
    for (const nothing of [null, '']) {
      await expect(add(nothing, nothing)).rejects.toThrow('customers_can_be_reached')
    }
    await expect(add('081', '')).resolves.toEqual([])
    await expect(add(null, 'a@mail.example')).resolves.toEqual([])
  })

  it('has the last nine digits of his number, however it is spelled', async () => {
    const spelled = ['081-234-5678', '+66 81 234 5678', '(0)81.234.5678', '5678', 'no number', null]
    const customers = spelled.map((contact_number) => ({ contact_number, email: 'a@mail.example' }))
    const { id } = await tenantWith(database.db, { customers })
    const rows = await database.db.query<{ phone: string | null }>(
      'select normalized_phone as phone from customers.customers where tenant_id = $1 order by customer_code',
      [id],
    )
    const same = '812345678'
    expect(rows.map(({ phone }) => phone)).toEqual([same, same, same, '5678', null, null])
  })

  it('who is deleted leaves his packages to nobody, and cannot belong to another tenant', async () => {
    const id = randomUUID()
    const customers = [{ id }]
    const { db } = database
    const tenant = await tenantWith(db, { customers, packages: [{ customer_id: id }] })
    await expect(tenantWith(db, { packages: [{ customer_id: id }] })).rejects.toThrow('foreign key')
    await db.query('delete from customers.customers where tenant_id = $1', [tenant.id])
    const left = await db.query('select customer_id from customers.packages where tenant_id = $1', [
      tenant.id,
    ])
    expect(left).toEqual([{ customer_id: null }])
  })
})
