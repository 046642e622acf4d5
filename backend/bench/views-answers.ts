// Asks for every tenant's reports as the API does: computed, and then from the cache. Prints the times as JSON.
import { readContext, withEngine } from '../cli/context.ts'
import { print } from '../cli/output.ts'
import { domains } from '../domains/index.ts'
import type { Db } from '../engine/db/index.ts'
import type { Engine } from '../engine/engine.ts'
import type { InstalledReport } from '../engine/reports/index.ts'
import { listActiveTenants } from '../engine/tenancy/index.ts'

type Times = { p50: number; p99: number }

/** By the report and whose it is, in milliseconds. */
export type AnswerFigures = Record<string, { computed: Times; cached: Times; togetherMs: number }>

const READS = 300
// So large that counting takes longer than asking.
const MANY_CUSTOMERS = 10_000

const context = await readContext(domains, 'warn')
await withEngine(context, async ({ engine, resources: { db } }) => {
  const all = (await listActiveTenants(db)).map(({ id }) => id)
  const many = new Set(await withManyCustomers(db))
  const few = all.filter((id) => !many.has(id))
  const figures: AnswerFigures = {
    dashboard_aggregate: await measure(engine, 'campaigns:dashboard_aggregate', all),
    [`customer_kpis, ${many.size} large tenants`]: await measure(
      engine,
      'customers:customer_kpis',
      [...many],
    ),
    [`customer_kpis, ${few.length} small ones`]: await measure(
      engine,
      'customers:customer_kpis',
      few,
    ),
  }
  print(JSON.stringify(figures))
})

async function withManyCustomers(db: Db): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    'select tenant_id as id from customers.customers group by 1 having count(*) >= $1',
    [MANY_CUSTOMERS],
  )
  return rows.map(({ id }) => id)
}

async function measure(
  engine: Engine,
  id: string,
  tenants: readonly string[],
): Promise<AnswerFigures[string]> {
  const report = engine.reports.catalog.all.find((one) => one.id === id)
  if (!report) throw new Error(`There is no report "${id}".`)
  const rounds = Math.ceil(READS / tenants.length)
  await ask(engine, report, tenants, true)
  return {
    computed: await times(rounds, () => ask(engine, report, tenants, true)),
    togetherMs: await together(engine, report),
    cached: await times(rounds, () => ask(engine, report, tenants, false)),
  }
}

/** The time of every read, one after the other. */
async function ask(
  engine: Engine,
  report: InstalledReport,
  tenants: readonly string[],
  bust: boolean,
): Promise<number[]> {
  const each: number[] = []
  for (const tenantId of tenants) {
    const scope = { tenantId, visibleTo: null, teamId: null, assignedTo: null }
    const start = performance.now()
    const { cache } = await engine.reports.read({ report, scope, variant: null }, { bust })
    each.push(performance.now() - start)
    const expected = bust ? 'BYPASS' : 'HIT'
    if (cache !== expected) throw new Error(`It was a ${cache} in place of a ${expected}.`)
  }
  return each
}

async function together(engine: Engine, report: InstalledReport): Promise<number> {
  const start = performance.now()
  const { failures } = await engine.reports.warm(report, { renewOlderThan: new Date() })
  if (failures.length > 0) throw new Error(`${failures.length} tenants failed.`)
  return performance.now() - start
}

async function times(rounds: number, round: () => Promise<number[]>): Promise<Times> {
  const all: number[] = []
  for (let i = 0; i < rounds; i += 1) all.push(...(await round()))
  const sorted = all.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? Number.NaN
  return { p50: at(0.5), p99: at(0.99) }
}
