// A company's sales of 2016 and 2017, from its regional offices, as they are in the files.
import { createHash } from 'node:crypto'
import { readCsv } from '../../test/real-data.ts'

const DEAL = [
  'opportunity_id',
  'sales_agent',
  'product',
  'account',
  'deal_stage',
  'engage_date',
  'close_date',
  'close_value',
] as const

export type Deal = Record<(typeof DEAL)[number], string>
export type Agent = Record<'sales_agent' | 'manager' | 'regional_office', string>
export type Product = Record<'product' | 'series', string>
export type Company = Record<'account' | 'sector' | 'subsidiary_of', string>

export type SalesData = {
  deals: Deal[]
  agents: Agent[]
  products: Product[]
  companies: Company[]
}

export async function readSalesData(): Promise<SalesData> {
  return {
    deals: await readCsv('crm/sales_pipeline.csv', DEAL),
    agents: await readCsv('crm/sales_teams.csv', ['sales_agent', 'manager', 'regional_office']),
    products: await readCsv('crm/products.csv', ['product', 'series']),
    companies: await readCsv('crm/accounts.csv', ['account', 'sector', 'subsidiary_of']),
  }
}

/** The id under which something of the files is known in the tables. */
export function idOf(kind: string, name: string): string {
  const hash = createHash('md5').update(`${kind} ${name}`).digest('hex')
  return hash.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-3$3-8$4-$5')
}
