// Asks for pages of the customer list as the engine does.
import { join } from 'node:path'
import * as z from 'zod'
import { sqlFile } from '../../test/sql-file.ts'
import { Kpis } from './kpis.ts'
import type { listParams } from './params.ts'
import type { Db } from './test-rows.ts'

const Day = z.string().nullable()

const ListedCustomer = z.strictObject({
  id: z.string(),
  customer_code: z.string(),
  customer_name: z.string(),
  contact_number: z.string().nullable(),
  email: z.string().nullable(),
  preferred_contact_method: z.string().nullable(),
  customer_create_date: z.string(),
  is_active: z.boolean(),
  lifetime_spending: z.number(),
  total_bookings: z.number(),
  last_visit_date: Day,
  customer_status: z.enum(['Active', 'Inactive', 'Dormant', 'New']),
  active_packages: z.number(),
  total_packages: z.number(),
  first_purchase_date: Day,
  last_purchase_date: Day,
  transaction_count: z.number(),
  average_transaction_value: z.number(),
})

export const CustomerList = z.strictObject({
  customers: z.array(ListedCustomer),
  pagination: z.strictObject({
    total: z.number(),
    pages: z.number(),
    current: z.number(),
    limit: z.number(),
  }),
  kpis: z.union([Kpis, z.strictObject({})]),
})

export type CustomerList = z.infer<typeof CustomerList>

export type ListParams = { [Name in keyof z.input<typeof listParams>]?: string }

const NOT_ASKED = {
  search: '',
  isActive: '',
  registrationDateFrom: '',
  registrationDateTo: '',
  lastVisitFrom: '',
  lastVisitTo: '',
  preferredContactMethod: '',
  sortBy: '',
  sortOrder: '',
  page: '',
  limit: '',
} satisfies Required<ListParams>

export async function listsOf(
  db: Db,
  tenantIds: readonly string[],
  now: string,
  params: ListParams = {},
): Promise<Map<string, CustomerList>> {
  const sql = await sqlFile(join(import.meta.dirname, 'reports/customer_list.sql'))
  const values = { ...NOT_ASKED, ...params, tenant_ids: `{${tenantIds.join(',')}}`, now }
  const rows = await db.query<{ tenant_id: string; data: unknown }>(sql.text, sql.bind(values))
  return new Map(rows.map(({ tenant_id, data }) => [tenant_id, CustomerList.parse(data)]))
}
