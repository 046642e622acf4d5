// `npm run bench:warm [TENANTS ROWS MANY_TENANTS MANY_ROWS]`: warming all tenants, one query per number in a loop beside ours.
import { print, tell } from '../cli/output.ts'
import { figuresOf, runProgram } from './child.ts'
import type { LoopFigures } from './one-query-per-number.ts'
import { withServers, type ServerSettings } from './servers.ts'
import type { WarmFigures } from './warm-all.ts'

const [tenants = 1000, rows = 2000, manyTenants = 10_000, manyRows = 300] = process.argv
  .slice(2)
  .map(Number)
const REPEATS = 3

await withServers(async (settings) => {
  await fill(settings, tenants, rows)
  const original = await looped(settings, 'without-funnel')
  const ours = await medianOf(REPEATS, settings)
  const whole = await looped(settings, 'with-funnel')
  print(`
${tenants} tenants of ${rows} rows, ${original.entries} bundles
                                          seconds  statements      times
prewarm (median of ${REPEATS})                     ${cell(ours.seconds)}  ${cell(ours.statements, 0)}
one query per number, without the funnel ${cell(original.seconds)}  ${cell(original.statements, 0)}  ${cell(original.seconds / ours.seconds)}
one query per number, the whole bundle   ${cell(whole.seconds)}  ${cell(whole.statements, 0)}  ${cell(whole.seconds / ours.seconds)}
prewarm wrote ${ours.entries} entries, ${ours.megabytes.toFixed(1)} MB; ${ours.failures} tenants failed`)
})

await withServers(async (settings) => {
  await fill(settings, manyTenants, manyRows)
  const ours = await warmed(settings)
  print(`
${manyTenants} tenants of ${manyRows} rows: ${ours.entries} entries (${ours.megabytes.toFixed(1)} MB) in ${ours.seconds.toFixed(1)} s, \
${ours.statements} statements, resident memory at most ${ours.residentMb.toFixed(0)} MB; ${ours.failures} tenants failed`)
})

async function fill(
  settings: ServerSettings,
  tenantCount: number,
  rowCount: number,
): Promise<void> {
  tell(`Making ${tenantCount} tenants of ${rowCount} rows…`)
  await runProgram('main.ts', ['migrate'], settings)
  const size = ['--tenants', String(tenantCount), '--rows', String(rowCount)]
  await runProgram('main.ts', ['demo', ...size], settings)
}

async function looped(
  settings: ServerSettings,
  funnel: 'with-funnel' | 'without-funnel',
): Promise<LoopFigures> {
  return figuresOf<LoopFigures>('bench/one-query-per-number.ts', [funnel], settings)
}

async function warmed(settings: ServerSettings): Promise<WarmFigures> {
  return figuresOf<WarmFigures>('bench/warm-all.ts', [], settings)
}

/** The run whose time is in the middle. */
async function medianOf(runs: number, settings: ServerSettings): Promise<WarmFigures> {
  const figures: WarmFigures[] = []
  for (let i = 0; i < runs; i += 1) figures.push(await warmed(settings))
  const [middle] = figures.toSorted((a, b) => a.seconds - b.seconds).slice(Math.floor(runs / 2))
  if (!middle) throw new Error('Nothing was measured.')
  return middle
}

function cell(number: number, digits = 2): string {
  return number.toFixed(digits).padStart(9)
}
