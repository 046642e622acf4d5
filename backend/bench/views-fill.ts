// `… TENANTS EVENTS`: makes the tables, tenants with so many events in all and some with many customers, and then the views. Prints the
// rows of each table as JSON.
import { readContext } from '../cli/context.ts'
import { print } from '../cli/output.ts'
import { domains } from '../domains/index.ts'
import { createDemo } from '../engine/demo.ts'
import { connect, migrate } from '../engine/db/index.ts'
import type { Domain } from '../engine/domain.ts'
import { install, migrationFolders } from '../engine/install.ts'

// Three rows of demo data in four are events.
const EVENTS_PER_ROW = 0.75
// A quarter of them customers, the others their sales and packages. With the small tenants it is a million rows.
const LARGE = { tenants: 3, rows: 280_000 }
const SMALL_ROWS = 2000
const TABLES = [
  'campaigns.email_events',
  'campaigns.llm_usage',
  'campaigns.leads',
  'customers.customers',
  'customers.sales',
  'customers.packages',
]

const [tenants = 0, events = 0] = process.argv.slice(2).map(Number)
const { config, log } = await readContext(domains, 'warn')
const db = connect({
  connectionString: config.DATABASE_URL ?? '',
  applicationName: 'bench',
  max: 4,
  statementTimeoutMs: 600_000,
  schemas: domains.map(({ name }) => name),
  log,
})
await migrate(db, migrationFolders(domains))
await withoutIndexes('campaigns', fill)
await install(db, domains, log)
await db.query('vacuum (analyze)')
print(JSON.stringify(Object.fromEntries(await Promise.all(TABLES.map(countOf)))))
await db.end()

async function fill(): Promise<void> {
  const now = new Date()
  const make = (many: number, domain?: Domain): Promise<unknown> =>
    createDemo(db, domain ? [domain] : [], { tenants: many, now, batch: 1 })
  await make(tenants)
  const small = async (): Promise<unknown> => make(tenants, sized('customers', SMALL_ROWS))
  await Promise.all([
    make(tenants, sized('campaigns', events / tenants / EVENTS_PER_ROW)),
    make(LARGE.tenants, sized('customers', LARGE.rows)).then(small),
  ])
}

function sized(name: string, rows: number): Domain {
  const domain = domains.find((one) => one.name === name)
  if (!domain) throw new Error(`There is no domain "${name}".`)
  return { ...domain, demo: { rowsPerTenant: Math.ceil(rows) } }
}

/** Making indexes of a million rows is faster than keeping them. What a constraint needs stays. */
async function withoutIndexes(schema: string, work: () => Promise<void>): Promise<void> {
  const indexes = await db.query<{ id: string; definition: string }>(
    `select indexrelid::regclass::text as id, pg_get_indexdef(indexrelid) as definition
     from pg_index join pg_class on pg_class.oid = indexrelid
     where relnamespace = $1::regnamespace and not indisunique`,
    [schema],
  )
  for (const { id } of indexes) await db.query(`drop index ${id}`)
  await work()
  for (const { definition } of indexes) await db.query(definition)
}

async function countOf(table: string): Promise<[string, number]> {
  const [row] = await db.query<{ n: number }>(`select count(*)::integer as n from ${table}`)
  return [table, row?.n ?? 0]
}
