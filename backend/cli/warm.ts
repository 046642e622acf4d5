import type { Engine } from '../engine/engine.ts'
import { PrewarmError } from '../engine/errors.ts'
import type { Reports, WarmOptions, WarmSummary } from '../engine/reports/index.ts'
import { uuid, type AddCommand } from './command.ts'
import { withEngine, type Context, type Opened } from './context.ts'
import { megabytes, print, printJson, progressBar, seconds, tell } from './output.ts'

type Flags = { tenant?: string; plan?: boolean; expired?: boolean; json?: boolean }

export const addWarm: AddCommand = (program, run) => {
  program
    .command('warm')
    .description('compute every report of every active tenant into the cache')
    .option('--tenant <id>', 'only this tenant', uuid)
    .option('--expired', 'only what is missing or no longer fresh')
    .option('--plan', 'only list what would be computed')
    .option('--json', 'print JSON')
    .action((flags: Flags) => run((context) => warmCommand(context, flags)))
}

/** Returns the exit code: 1 when some tenant could not be warmed. */
function warmCommand(context: Context, command: Flags): Promise<number> {
  return withEngine(context, async (opened) => {
    const renewOlderThan = command.expired ? undefined : new Date()
    const options = { tenantId: command.tenant, renewOlderThan }
    if (command.plan) return showPlan(opened.engine.reports, options, command)
    refuseForeignMemory(opened)
    const summaries = await warmAll(opened.engine, options)
    if (command.json) printJson(summaries)
    else summaries.forEach(printSummary)
    return summaries.some(({ failures }) => failures.length > 0) ? 1 : 0
  })
}

/** Changes of before are made known first: told later, they would make stale again what is warmed now. */
export async function warmAll(
  { reports, changes }: Pick<Engine, 'reports' | 'changes'>,
  options: WarmOptions,
): Promise<WarmSummary[]> {
  await changes.drain()
  const summaries: WarmSummary[] = []
  for (const report of reports.catalog.all) {
    const onProgress = progressBar(`Warming ${report.alias}`)
    summaries.push(await reports.warm(report, { ...options, onProgress }))
  }
  return summaries
}

export function printSummary(summary: WarmSummary): void {
  const { report, tenants, warmed, skippedFresh, bytes, elapsedMs, failures } = summary
  const rate = Math.round(tenants / Math.max(elapsedMs / 1000, 0.001))
  print(
    `${report}: ${tenants} tenants, ${warmed} entries warmed (${megabytes(bytes)}) in ${seconds(elapsedMs)}, ` +
      `${rate} tenants per second; ${skippedFresh} were fresh; ${failures.length} failed`,
  )
  for (const failure of failures) {
    tell(`  ${failure.tenant_name} (${failure.tenant_id}): ${failure.error}`)
  }
}

async function showPlan(reports: Reports, options: WarmOptions, { json }: Flags): Promise<number> {
  const plans = []
  for (const report of reports.catalog.all) plans.push(await reports.plan(report, options))
  if (json) printJson(plans)
  for (const { report, tenants, entries, due } of json ? [] : plans) {
    print(`${report}: ${due.length} of ${entries} entries of ${tenants} tenants would be computed`)
    for (const key of due) print(`  ${key}`)
  }
  return 0
}

/** A cache inside another process cannot be reached from this one. */
export function refuseForeignMemory({ resources }: Opened): void {
  if (resources.store.kind !== 'memory') return
  throw new PrewarmError(
    'unavailable',
    'The cache lives inside the serving process, because there is no Redis: ask that process ' +
      '(POST /api/cron/execute, POST /api/reports/clear-cache), put redis-server on the PATH, or set REDIS_CACHE_URL.',
    { field: 'REDIS_CACHE_URL' },
  )
}
