// Our side: what `prewarm warm` does. Prints one line of JSON.
import { readContext, withEngine } from '../cli/context.ts'
import { print } from '../cli/output.ts'
import { crm } from '../domains/crm/index.ts'

export type WarmFigures = {
  seconds: number
  entries: number
  failures: number
  megabytes: number
  /** Everything that was sent to PostgreSQL for it. */
  statements: number
  /** The largest resident memory of the process. */
  residentMb: number
}

const context = await readContext([crm], 'warn')
await withEngine(context, async ({ engine, resources }) => {
  const [report] = engine.reports.catalog.all
  if (!report) throw new Error('There is no report.')
  const start = performance.now()
  const summary = await engine.reports.warm(report, { renewOlderThan: new Date() })
  const figures: WarmFigures = {
    seconds: (performance.now() - start) / 1000,
    entries: summary.warmed,
    failures: summary.failures.length,
    megabytes: summary.bytes / 1e6,
    statements: resources.db.statements + resources.reportDb.statements,
    residentMb: process.resourceUsage().maxRSS / 1024,
  }
  print(JSON.stringify(figures))
})
