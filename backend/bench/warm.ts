// `npm run bench:warm [TENANTS ROWS MANY_TENANTS MANY_ROWS]`: warming all tenants, one query per number in a loop beside ours.
import { print, tell } from '../cli/output.ts'
import { figuresOf, runProgram } from './child.ts'
import type { LoopFigures, Way } from './one-query-per-number.ts'
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
  const whole = await looped(settings, 'together')
  const inTurn = await looped(settings, 'in-turn')
  const line = (name: string, { seconds, statements }: LoopFigures): string =>
    `${name.padEnd(50)} ${cell(seconds)}  ${cell(statements, 0)}  ${cell(seconds / ours.seconds)}`
  print(`
${tenants} tenants of ${rows} rows, ${original.entries} bundles
${''.padEnd(50)}   seconds  statements      times
${line(`prewarm (median of ${REPEATS})`, ours)}
${line('one query per number, in turn', inTurn)}
${line('one query per number, those of a bundle together', whole)}
${line('the same without the funnel', original)}
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
  await runProgram('bench/warm-fill.ts', [tenantCount, rowCount].map(String), settings)
}

async function looped(settings: ServerSettings, way: Way): Promise<LoopFigures> {
  return figuresOf<LoopFigures>('bench/one-query-per-number.ts', [way], settings)
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
