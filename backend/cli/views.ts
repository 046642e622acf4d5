import type { RefreshResult, ViewFreshness, Views } from '../engine/views/index.ts'
import type { AddCommand, RunCommand } from './command.ts'
import { withEngine } from './context.ts'
import { print, printJson, table } from './output.ts'

type Flags = { json?: boolean }

export const addViews: AddCommand = (program, run) => {
  const command = program.command('views').description('the materialized views')
  command
    .command('list')
    .description('how fresh each view is')
    .option('--json', 'print JSON')
    .action((flags: Flags) => withViews(run, (views) => list(views, flags)))
  command
    .command('refresh')
    .description('refresh views now and wait for it')
    .argument('<view...>', 'their names')
    .option('--json', 'print JSON')
    .action((names: string[], flags: Flags) =>
      withViews(run, (views) => refresh(views, names, flags)),
    )
  command
    .command('check')
    .description('whether every view is there and can be refreshed')
    .option('--json', 'print JSON')
    .action((flags: Flags) => withViews(run, (views) => check(views, flags)))
}

function withViews(run: RunCommand, work: (views: Views) => Promise<number | void>): Promise<void> {
  return run((context) => withEngine(context, ({ engine }) => work(engine.views)))
}

async function list(views: Views, { json }: Flags): Promise<void> {
  const freshness = await views.freshness()
  if (json) return printJson({ views: freshness, total: freshness.length })
  if (freshness.length === 0) return print('There are no views.')
  const head = ['view', 'age', 'may be', 'rows', 'took', 'failures', 'state']
  print(table([head, ...freshness.map(cells)]))
}

function cells(view: ViewFreshness): string[] {
  const { view_name, age_seconds, target_lag_seconds, row_count, last_duration_ms } = view
  return [
    view_name,
    `${age_seconds} s`,
    `${target_lag_seconds} s`,
    String(row_count),
    `${last_duration_ms} ms`,
    String(view.consecutive_failures),
    stateOf(view),
  ]
}

function stateOf({
  is_refreshing,
  last_error,
  is_pending,
  reasons,
  is_stale,
}: ViewFreshness): string {
  if (is_refreshing) return 'being refreshed'
  if (last_error !== null) return `failed: ${last_error}`
  if (is_pending) return `asked for: ${reasons.join(', ')}`
  return is_stale ? 'stale' : 'fresh'
}

async function refresh(views: Views, names: readonly string[], { json }: Flags): Promise<number> {
  const results = await views.refresh(names, { triggeredBy: 'cli' })
  if (json) printJson({ views: results })
  else for (const result of results) print(sentence(result))
  return results.every(({ status }) => status === 'refreshed') ? 0 : 1
}

function sentence({ view, status, error }: RefreshResult): string {
  return error === null ? `${view}: ${status}` : `${view}: ${status}: ${error}`
}

async function check(views: Views, { json }: Flags): Promise<number> {
  const problems = await views.check()
  if (json) printJson({ ok: problems.length === 0, problems })
  else if (problems.length === 0) print(`All is well with ${counted(views.catalog.all.length)}.`)
  else for (const { view, problem, message } of problems) print(`${view}: ${problem}. ${message}`)
  return problems.length === 0 ? 0 : 1
}

function counted(views: number): string {
  return views === 1 ? '1 view' : `${views} views`
}
