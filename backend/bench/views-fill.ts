// `… TENANTS EVENTS`: makes the tables, the views, and tenants with so many events in all. Prints the rows of each table as JSON.
import { readContext } from '../cli/context.ts'
import { print } from '../cli/output.ts'
import { domains } from '../domains/index.ts'
import { createDemo } from '../engine/demo.ts'
import { connect } from '../engine/db/index.ts'
import { install } from '../engine/install.ts'
import { loadViews } from '../engine/views/index.ts'

// Three rows of demo data in four are events.
const EVENTS_PER_ROW = 0.75
const TABLES = ['campaigns.email_events', 'campaigns.llm_usage', 'campaigns.leads']

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
await install(db, domains, log)
const filled = domains.filter(({ views }) => views !== undefined)
const rows = Math.ceil(events / tenants / EVENTS_PER_ROW)
await createDemo(db, filled, { tenants, rows, now: new Date(), batch: 10 })
for (const { name } of (await loadViews(filled)).all)
  await db.query('select * from refresh_view($1)', [name])
await db.query('vacuum (analyze)')
print(JSON.stringify(Object.fromEntries(await Promise.all(TABLES.map(countOf)))))
await db.end()

async function countOf(table: string): Promise<[string, number]> {
  const [row] = await db.query<{ n: number }>(`select count(*)::integer as n from ${table}`)
  return [table, row?.n ?? 0]
}
