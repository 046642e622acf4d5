// `npm run bench:views [TENANTS EVENTS]`: the campaign dashboard and the customer KPIs from the source tables, from the views and from the
// cache, and how long the views take to be refreshed after the work of some minutes.
import { loadavg } from 'node:os'
import { print, tell } from '../cli/output.ts'
import { figuresOf } from './child.ts'
import { withServers } from './servers.ts'
import type { AnswerFigures } from './views-answers.ts'
import type { RefreshFigures } from './views-refresh.ts'

const [tenants = 100, events = 1_000_000] = process.argv.slice(2).map(Number)

await withServers(async (servers) => {
  tell(`Making ${tenants} tenants with ${events} events…`)
  const fill = await figuresOf<FillFigures>(
    'bench/views-fill.ts',
    [String(tenants), String(events)],
    servers,
  )
  // No copies in the process: what is measured as a hit is read from Redis.
  const settings = { ...servers, CACHE_LOCAL_TRUST_MS: '0' }
  const answers = (views: 'on' | 'off'): Promise<AnswerFigures> =>
    figuresOf<AnswerFigures>('bench/views-answers.ts', [], { ...settings, PREWARM_VIEWS: views })
  tell('Asking the source tables…')
  const raw = await answers('off')
  tell('Asking the views…')
  const viewed = await answers('on')
  print(`\n${tenants} tenants, ${counts(fill)}`)
  for (const report of Object.keys(raw)) printReport(report, raw[report], viewed[report])
  tell('Refreshing…')
  printRefreshes(await figuresOf<RefreshFigures>('bench/views-refresh.ts', [], servers))
  print(`\nload of the machine at the end: ${loadavg()[0]?.toFixed(1)}`)
})

export type FillFigures = Record<string, number>

type Answers = AnswerFigures[string]

function counts(fill: FillFigures): string {
  return Object.entries(fill)
    .map(([table, rows]) => `${rows.toLocaleString('en')} ${table}`)
    .join(', ')
}

function printReport(report: string, raw?: Answers, viewed?: Answers): void {
  if (!raw || !viewed) return
  print(`\n${report}${''.padEnd(33 - report.length)}   p50 ms    p99 ms  raw : this`)
  const line = (name: string, { p50, p99 }: { p50: number; p99: number }): void =>
    print(
      `${name.padEnd(33)}${cell(p50)}${cell(p99)}${cell(raw.computed.p50 / p50, 1)} (p50)${cell(raw.computed.p99 / p99, 1)} (p99)`,
    )
  line('from the source tables', raw.computed)
  line('from the views', viewed.computed)
  line('from the cache (Redis)', viewed.cached)
  print(
    `warming all tenants: ${raw.togetherMs.toFixed(0)} ms from the source tables, \
${viewed.togetherMs.toFixed(0)} ms from the views, ${(raw.togetherMs / viewed.togetherMs).toFixed(1)} times`,
  )
}

function printRefreshes({ views, changed, rounds }: RefreshFigures): void {
  print(
    `\nrefresh, concurrently, after ${changed} new rows; of ${rounds} rounds   median ms    longest ms      rows`,
  )
  for (const { view, medianMs, longestMs, rows } of views) {
    const numbers = `${cell(medianMs, 0)}     ${cell(longestMs, 0)}${String(rows).padStart(10)}`
    print(`${view.padEnd(60)}${numbers}`)
  }
}

function cell(number: number, digits = 2): string {
  return number.toFixed(digits).padStart(10)
}
