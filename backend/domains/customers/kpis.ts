// Asks for KPIs as the engine does.
import { join } from 'node:path'
import * as z from 'zod'
import { sqlFile } from '../../test/sql-file.ts'
import type { Db } from './test-rows.ts'

export const Kpis = z.strictObject({
  totalCustomers: z.number(),
  activeCustomers: z.number(),
  newCustomersThisMonth: z.number(),
  newCustomersPreviousMonth: z.number(),
  growthRate: z.number(),
  totalLifetimeValue: z.number(),
  averageLifetimeValue: z.number(),
  customersWithPackages: z.number(),
  customersWithRecentActivity: z.number(),
})

export type Kpis = z.infer<typeof Kpis>

export type Period = { dateFrom?: string; dateTo?: string }

/** The report's answer for each of the tenants. */
export async function kpisAt(
  db: Db,
  tenantIds: readonly string[],
  now: string,
  { dateFrom = '', dateTo = '' }: Period = {},
): Promise<Map<string, Kpis>> {
  const sql = await sqlFile(join(import.meta.dirname, 'reports/customer_kpis.sql'))
  const rows = await db.query<{ tenant_id: string; data: unknown }>(
    sql.text,
    sql.bind({ tenant_ids: `{${tenantIds.join(',')}}`, now, dateFrom, dateTo }),
  )
  return new Map(rows.map(({ tenant_id, data }) => [tenant_id, Kpis.parse(data)]))
}

const COLUMNS = {
  totalCustomers: 'total_customers',
  activeCustomers: 'active_customers',
  newCustomersThisMonth: 'new_customers_this_month',
  newCustomersPreviousMonth: 'new_customers_previous_month',
  growthRate: 'growth_rate',
  totalLifetimeValue: 'total_lifetime_value',
  averageLifetimeValue: 'average_lifetime_value',
  customersWithPackages: 'customers_with_packages',
  customersWithRecentActivity: 'customers_with_recent_activity',
} satisfies Record<keyof Kpis, string>

const AS_JSON = Object.entries(COLUMNS).map(([name, column]) => `'${name}', ${column}`)

/** The rows that the view would have, had it been refreshed at that time. */
export async function viewAt(db: Db, now: string): Promise<Map<string, Kpis>> {
  const { text } = await sqlFile(join(import.meta.dirname, 'views/customer_kpis_cache.sql'))
  const rows = await db.query<{ tenant_id: string; data: unknown }>(
    `select tenant_id, json_build_object(${AS_JSON.join(', ')}) as data
     from (${text.replaceAll('now()', '$1::timestamptz')}) as view`,
    [now],
  )
  return new Map(rows.map(({ tenant_id, data }) => [tenant_id, Kpis.parse(data)]))
}
