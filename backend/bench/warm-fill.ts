// `… TENANTS ROWS`: makes the tables of the CRM, and tenants with so many rows each.
import { readContext, withEngine } from '../cli/context.ts'
import { crm } from '../domains/crm/index.ts'
import { createDemo } from '../engine/demo.ts'
import { install } from '../engine/install.ts'

const [tenants = 0, rows = 0] = process.argv.slice(2).map(Number)
const context = await readContext([crm], 'warn')
await withEngine(
  context,
  async ({ resources: { db }, engine, domains, log }) => {
    await install(db, domains, log)
    await createDemo(db, domains, { tenants, rows, now: new Date() })
    // Nobody serves yet, so nothing has to be made stale.
    await engine.changes.drain()
  },
  'database',
)
