// A company's sales of 2016 and 2017, from its regional offices, as they are in the files.
import { createHash } from 'node:crypto'
import * as z from 'zod'
import { readCsv } from '../../test/real-data.ts'

const Text = z.string()

const Deal = z.object({
  opportunity_id: Text,
  sales_agent: Text,
  product: Text,
  account: Text,
  deal_stage: Text,
  engage_date: Text,
  close_date: Text,
  close_value: Text,
})
const Agent = z.object({ sales_agent: Text, manager: Text, regional_office: Text })
const Product = z.object({ product: Text, series: Text })
const Company = z.object({ account: Text, sector: Text, subsidiary_of: Text })

export type Deal = z.infer<typeof Deal>
export type Agent = z.infer<typeof Agent>
export type Company = z.infer<typeof Company>

export type SalesData = {
  deals: Deal[]
  agents: Agent[]
  products: z.infer<typeof Product>[]
  companies: Company[]
}

export async function readSalesData(): Promise<SalesData> {
  return {
    deals: await readCsv('crm/sales_pipeline.csv', Deal),
    agents: await readCsv('crm/sales_teams.csv', Agent),
    products: await readCsv('crm/products.csv', Product),
    companies: await readCsv('crm/accounts.csv', Company),
  }
}

/** The id under which something of the files is known in the tables. */
export function idOf(kind: string, name: string): string {
  const hash = createHash('md5').update(`${kind} ${name}`).digest('hex')
  return hash.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-3$3-8$4-$5')
}
