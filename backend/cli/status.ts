import type { ViewFreshness } from '../engine/views/index.ts'
import type { AddCommand } from './command.ts'
import { withEngine, type Context, type Opened } from './context.ts'
import { print, printJson, table } from './output.ts'

type Flags = { json?: boolean }

const RECENT_RUNS = 5

export const addStatus: AddCommand = (program, run) => {
  program
    .command('status')
    .description('how warm everything is, what is due and what ran')
    .option('--json', 'print JSON')
    .action((flags: Flags) => run((context) => status(context, flags)))
}

function status(context: Context, { json }: Flags): Promise<void> {
  return withEngine(context, async (opened) => {
    const found = await look(opened)
    if (json) printJson(found)
    else printStatus(found)
  })
}

async function look(opened: Opened) {
  const { engine, resources } = opened
  const [health, reports, views, jobs, { runs }, { total }] = await Promise.all([
    engine.health(),
    warmth(opened),
    engine.views.freshness(),
    engine.cron.jobs.list({}),
    // Refreshes, every few minutes, are told with the views.
    engine.cron.runs.list({ kinds: ['cron', 'manual'] }, { page: 1, pageSize: RECENT_RUNS }),
    engine.monitoring.incidents.list(['open'], { page: 1, pageSize: 1 }),
  ])
  return { places: resources.places, health, open_incidents: total, reports, views, jobs, runs }
}

function printStatus(found: Awaited<ReturnType<typeof look>>): void {
  const { places, health, open_incidents, reports, views, jobs, runs } = found
  print(`PostgreSQL   ${health.services.postgres.status}   ${places.database}`)
  print(`redis-cache  ${health.services['redis-cache'].status}   ${places.cache}`)
  print(`open incidents  ${open_incidents}\n`)
  for (const { report, tenants, entries, fresh } of reports) {
    print(`${report}: ${fresh} of ${entries} entries of ${tenants} tenants are fresh`)
  }
  if (reports.length === 0)
    print('The entries lie inside the serving process, and are not seen from here.')
  print(`views: ${views.filter(isCurrent).length} of ${views.length} show the newest data`)
  const planned = jobs.map((job) => [job.name, job.next_run ?? 'paused'])
  print(`\n${table([['job', 'next run'], ...planned])}`)
  const lines = runs.map((run) => [
    run.started_at,
    run.job_name,
    run.status,
    run.message ?? run.error_message ?? '',
  ])
  if (lines.length > 0) print(`\n${table([['recent run', 'job', 'status', ''], ...lines])}`)
}

function isCurrent({ is_stale, is_pending, changed_tenants }: ViewFreshness): boolean {
  return !is_stale && !is_pending && changed_tenants === 0
}

type Warmth = { report: string; tenants: number; entries: number; fresh: number }

async function warmth({ engine: { reports }, resources }: Opened): Promise<Warmth[]> {
  if (resources.store.kind === 'memory') return []
  return Promise.all(
    reports.catalog.all.map(async (report) => {
      const { tenants, entries, due } = await reports.plan(report, {})
      return { report: report.id, tenants, entries, fresh: entries - due.length }
    }),
  )
}
