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
    const [health, reports, jobs, { runs }, { total: openIncidents }] = await Promise.all([
      opened.engine.health(),
      warmth(opened),
      opened.engine.cron.jobs.list({}),
      opened.engine.cron.runs.list({}, { page: 1, pageSize: RECENT_RUNS }),
      opened.engine.monitoring.incidents.list(['open'], { page: 1, pageSize: 1 }),
    ])
    if (json) {
      const { places } = opened.resources
      return printJson({ places, health, open_incidents: openIncidents, reports, jobs, runs })
    }
    const { services } = health
    print(`PostgreSQL   ${services.postgres.status}   ${opened.resources.places.database}`)
    print(`redis-cache  ${services['redis-cache'].status}   ${opened.resources.places.cache}`)
    print(`open incidents  ${openIncidents}\n`)
    for (const { report, tenants, entries, fresh } of reports) {
      print(`${report}: ${fresh} of ${entries} entries of ${tenants} tenants are fresh`)
    }
    print(
      `\n${table([['job', 'next run'], ...jobs.map((job) => [job.name, job.next_run ?? 'paused'])])}`,
    )
    const lines = runs.map((run) => [
      run.started_at,
      run.job_name,
      run.status,
      run.message ?? run.error_message ?? '',
    ])
    if (lines.length > 0) print(`\n${table([['recent run', 'job', 'status', ''], ...lines])}`)
  })
}

type Warmth = { report: string; tenants: number; entries: number; fresh: number }

async function warmth({ engine: { reports } }: Opened): Promise<Warmth[]> {
  return Promise.all(
    reports.catalog.all.map(async (report) => {
      const { tenants, entries, due } = await reports.plan(report, {})
      return { report: report.id, tenants, entries, fresh: entries - due.length }
    }),
  )
}
