// One command from nothing to warm dashboards: what enable-cache-warming.sh runs once the packages are installed.
import { createDemo } from '../engine/demo.ts'
import { install } from '../engine/install.ts'
import type { WarmSummary } from '../engine/reports/index.ts'
import { listActiveTenants } from '../engine/tenancy/index.ts'
import { mintToken } from '../http/index.ts'
import { wholeNumber, type AddCommand } from './command.ts'
import { open, tokenOptions, type Context, type Opened } from './context.ts'
import { print, progressBar, tell } from './output.ts'
import { startServing } from './serve.ts'
import { stopInTime, untilStopped } from './stopping.ts'
import { printSummary, warmAll } from './warm.ts'

type Flags = { tenants: number; rows?: number; once?: boolean }

export const addQuickstart: AddCommand = (program, run) => {
  program
    .command('quickstart')
    .description('migrate, make demo tenants, seed the cron jobs, warm everything, and serve')
    .option('--tenants <number>', 'demo tenants', wholeNumber, 25)
    .option('--rows <number>', 'rows of each demo tenant', wholeNumber)
    .option('--once', 'stop after the summary')
    .action((flags: Flags) =>
      run((context) => untilStopped((stopped) => quickstart(context, flags, stopped)), {
        loud: true,
      }),
    )
}

const TOKEN_SECONDS = 12 * 60 * 60

/** Returns the exit code: 1 when some tenant could not be warmed, or when it was stopped before all were. */
async function quickstart(
  context: Context,
  command: Flags,
  stopped: Promise<'stopped'>,
): Promise<number> {
  tell('Starting PostgreSQL and the cache…')
  const opened = await open(context, 'database')
  try {
    const summaries = await Promise.race([prepare(opened, command), stopped])
    if (summaries === 'stopped') {
      await stopInTime(opened)
      return 1
    }
    const server = command.once ? undefined : await startServing(opened)
    await printWhatToTry(opened, server?.url ?? `http://localhost:${context.config.PORT}`)
    if (server) {
      print(`\nServing on ${server.url} until Ctrl-C.`)
      await stopped
    }
    await stopInTime(opened, server)
    return summaries.some(({ failures }) => failures.length > 0) ? 1 : 0
  } catch (error) {
    await stopInTime(opened)
    throw error
  }
}

async function prepare(opened: Opened, { tenants, rows }: Flags): Promise<WarmSummary[]> {
  const { resources, engine, domains, log } = opened
  print(`Database: ${resources.places.database}`)
  print(`Cache:    ${resources.places.cache}`)
  const { applied } = await install(resources.db, domains, log)
  print(`Migrated: ${applied.length === 0 ? 'nothing to do' : `${applied.length} files applied`}`)
  const onProgress = progressBar('Demo tenants')
  const made = await createDemo(resources.db, domains, {
    tenants,
    rows,
    now: new Date(),
    onProgress,
  })
  print(`Demo:     ${made} tenants made, ${tenants - made} existed`)
  const seeded = await engine.seed()
  print(`Cron:     ${seeded.length === 0 ? 'all jobs existed' : `seeded ${seeded.join(', ')}`}\n`)
  const summaries = await warmAll(engine, {})
  summaries.forEach(printSummary)
  return summaries
}

async function printWhatToTry(opened: Opened, url: string): Promise<void> {
  const { secret, jwksUrl } = await tokenOptions(opened)
  if (jwksUrl) return print('\nTokens come from your identity provider (JWT_JWKS_URL).')
  const superadmin = {
    subject: 'quickstart',
    role: 'superadmin',
    tenantId: null,
    teamIds: [],
  } as const
  const token = await mintToken(secret, superadmin, TOKEN_SECONDS)
  const [tenant] = await listActiveTenants(opened.resources.db)
  const report = opened.engine.reports.catalog.all[0]?.alias
  const job = opened.domains.flatMap(({ jobs }) => Object.keys(jobs))[0]
  const authorization = '-H "Authorization: Bearer $TOKEN"'
  const json = '-H "Content-Type: application/json"'
  print(`
TOKEN=${token}

curl -i "${url}/api/reports/${report}?tenant_id=${tenant?.id}" ${authorization}
curl -i "${url}/api/reports/${report}?bust_cache=true" ${authorization}
curl -X POST ${url}/api/reports/clear-cache ${json} -d '{}' ${authorization}
curl -X POST ${url}/api/cron/execute ${json} -d '{"function_name": "${job}"}' ${authorization}
curl ${url}/api/system/health`)
}
