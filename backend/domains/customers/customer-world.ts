// Tenants with customers, and what the list says of them. For tests.
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { listsOf, type CustomerList, type ListParams } from './list.ts'
import { tenantWith, type Customer } from './test-rows.ts'

export const NOW = '2026-05-31T12:00:00.000Z'

export type CustomerWorld = {
  db: TestDatabase['db']
  tenantOf(customers: readonly Partial<Customer>[], timezone?: string): Promise<string>
  listOf(tenantId: string, params?: ListParams, now?: string): Promise<CustomerList>
  /** Those on the page that was asked for, in its order. */
  namesIn(tenantId: string, params?: ListParams): Promise<string[]>
  end(): Promise<void>
}

export async function customerWorld(): Promise<CustomerWorld> {
  const { db, drop } = await testDatabase()
  const listOf: CustomerWorld['listOf'] = async (tenantId, params = {}, now = NOW) => {
    const list = (await listsOf(db, [tenantId], now, params)).get(tenantId)
    if (!list) throw new Error('No answer came.')
    return list
  }
  return {
    db,
    tenantOf: async (customers, timezone = 'UTC') =>
      (await tenantWith(db, { customers }, timezone)).id,
    listOf,
    namesIn: async (tenantId, params) =>
      (await listOf(tenantId, params)).customers.map(({ customer_name }) => customer_name),
    end: drop,
  }
}

export function named(...names: string[]): Partial<Customer>[] {
  return names.map((customer_name) => ({ customer_name }))
}
