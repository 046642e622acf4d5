// The customers of a telephone company as they are in the file, and as rows of the tables. Where the file has no dates,
// its numbers are read as days and months before today.
import { createHash } from 'node:crypto'
import * as z from 'zod'
import { readCsv } from '../../test/real-data.ts'
import { daysAfter, monthStart } from './days.ts'
import type { Customer, Package, Rows, Sale } from './test-rows.ts'

const YesNo = z.enum(['Yes', 'No'])
const Service = z.enum(['Yes', 'No', 'No internet service'])

const Line = z.object({
  customerID: z.string(),
  gender: z.enum(['Female', 'Male']),
  'Tenure Months': z.coerce.number().int(),
  'Online Security': Service,
  'Online Backup': Service,
  'Device Protection': Service,
  'Tech Support': Service,
  'Streaming TV': Service,
  'Streaming Movies': Service,
  Contract: z.enum(['Month-to-month', 'One year', 'Two year']),
  'Paperless Billing': YesNo,
  'Payment Method': z.string(),
  'Monthly Charges': z.string(),
  'Total Charges': z.string().trim(), // blank for those who came this month
  Churn: YesNo,
})

export type Line = z.infer<typeof Line>

export const CONTRACTS = Line.shape.Contract.options

export function readTelcoData(): Promise<Line[]> {
  return readCsv('customers/telco_customers.csv', Line)
}

/** How many days ago the customer's last visit was. */
export function daysSinceVisit(line: Line): number {
  return Math.round(Number(line['Monthly Charges']))
}

export function isAutomatic(line: Line): boolean {
  return line['Payment Method'].endsWith('(automatic)')
}

export function nameOf({ gender, customerID }: Line): string {
  return `${gender} ${customerID}`
}

export function rowsOf(lines: readonly Line[], today: string): Rows {
  return {
    customers: lines.map((line) => customerOf(line, today)),
    packages: lines.flatMap((line) => packagesOf(line, today)),
    sales: lines.filter(isAutomatic).map((line) => saleOf(line, today)),
  }
}

function customerOf(line: Line, today: string): Partial<Customer> {
  const tenure = line['Tenure Months']
  return {
    id: idOf(line),
    customer_code: line.customerID,
    customer_name: nameOf(line),
    contact_number: null,
    email: `${line.customerID.toLowerCase()}@telco.example`,
    preferred_contact_method: isAutomatic(line) ? 'LINE' : 'Email',
    customer_create_date: monthStart(today, tenure),
    last_visit_date: tenure === 0 ? null : daysAfter(today, -daysSinceVisit(line)),
    total_lifetime_value: line['Total Charges'] || '0',
    total_visits: tenure,
    is_active: line.Churn === 'No',
  }
}

function packagesOf(line: Line, today: string): Partial<Package>[] {
  const lastDays: [Line['Tech Support'], string | null][] = [
    [line['Online Security'], today],
    [line['Online Backup'], daysAfter(today, -1)],
    [line['Device Protection'], null],
    [line['Tech Support'], daysAfter(today, 30)],
    [line['Streaming TV'], daysAfter(today, -200)],
    [line['Streaming Movies'], daysAfter(today, -1)],
  ]
  return lastDays
    .filter(([has]) => has === 'Yes')
    .map(([, expiration_date]) => ({
      customer_id: idOf(line),
      purchase_date: monthStart(today, line['Tenure Months']),
      expiration_date,
    }))
}

function saleOf(line: Line, today: string): Partial<Sale> {
  return {
    customer_id: idOf(line),
    date: daysAfter(today, -line['Tenure Months']),
    sales_net: line['Monthly Charges'],
    is_voided: line['Paperless Billing'] === 'No',
  }
}

function idOf({ customerID }: Line): string {
  const hash = createHash('md5').update(customerID).digest('hex')
  return hash.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-3$3-8$4-$5')
}
