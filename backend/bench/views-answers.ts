// Asks for every tenant's reports as the API does: computed, and then from the cache. Prints the times as JSON.
import { readContext, withEngine } from '../cli/context.ts'
import { print } from '../cli/output.ts'
import { domains } from '../domains/index.ts'
import type { Engine } from '../engine/engine.ts'
import type { InstalledReport } from '../engine/reports/index.ts'
import { listActiveTenants } from '../engine/tenancy/index.ts'

type Times = { p50: number; p99: number }

/** By the id of the report, in milliseconds. */
export type AnswerFigures = Record<string, { computed: Times; cached: Times; togetherMs: number }>

const REPORTS = new Set(['campaigns:dashboard_aggregate', 'customers:customer_kpis'])
const ROUNDS = 3

const context = await readContext(domains, 'warn')
await withEngine(context, async ({ engine, resources }) => {
  const tenants = (await listActiveTenants(resources.db)).map(({ id }) => id)
  const figures: AnswerFigures = {}
  for (const report of engine.reports.catalog.all.filter(({ id }) => REPORTS.has(id))) {
    await ask(engine, report, tenants, true)
    figures[report.id] = {
      computed: await times(() => ask(engine, report, tenants, true)),
      togetherMs: await together(engine, report),
      cached: await times(() => ask(engine, report, tenants, false)),
    }
  }
  print(JSON.stringify(figures))
})

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

async function times(round: () => Promise<number[]>): Promise<Times> {
  const all: number[] = []
  for (let i = 0; i < ROUNDS; i += 1) all.push(...(await round()))
  const sorted = all.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? Number.NaN
  return { p50: at(0.5), p99: at(0.99) }
}
