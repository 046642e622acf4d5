// One command from nothing to warm dashboards: what enable-cache-warming.sh runs once the packages are installed.
import { setTimeout as sleep } from 'node:timers/promises'
import { install } from '../engine/install.ts'
import type { WarmSummary } from '../engine/reports/index.ts'
import { wholeNumber, type AddCommand } from './command.ts'
import { open, type Context, type Opened } from './context.ts'
import { demoSentence, makeDemo } from './demo.ts'
import { print, tell } from './output.ts'
import { startServing } from './serve.ts'
import { stopInTime, untilStopped } from './stopping.ts'
import { bringViewsUpToDate, viewsSentence } from './up-to-date.ts'
import { printSummary, warmAll } from './warm.ts'
import { printWhatToTry } from './what-to-try.ts'

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

const PATIENCE_MS = 3000

/** Returns the exit code: 1 when some tenant could not be warmed, or when it was stopped before all were. */
async function quickstart(
  context: Context,
  command: Flags,
  stopped: Promise<'stopped'>,
): Promise<number> {
  tell('Starting PostgreSQL and the cache…')
  const opened = await open(context, 'database')
  try {
    const stopping = new AbortController()
    const preparing = prepare(opened, { ...command, signal: stopping.signal })
    const summaries = await Promise.race([preparing, stopped])
    if (summaries === 'stopped') {
      stopping.abort()
      // What is under way ends on its own, unless it takes too long.
      await Promise.race([
        preparing.catch(() => undefined),
        sleep(PATIENCE_MS, null, { ref: false }),
      ])
      await stopInTime(opened)
      tell('Stopped before all was done. The next run goes on from here.')
      return 1
    }
    const server = command.once ? undefined : await startServing(opened)
    if (!server) print('\nNothing serves now. Without --once it does, and there are these to try:')
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

async function prepare(
  opened: Opened,
  command: Flags & { signal: AbortSignal },
): Promise<WarmSummary[]> {
  const { resources, engine, domains, log } = opened
  print(`Database: ${resources.places.database}`)
  print(`Cache:    ${resources.places.cache}`)
  const { applied } = await install(resources.db, domains, log)
  print(`Migrated: ${applied.length === 0 ? 'nothing to do' : `${applied.length} files applied`}`)
  print(`Demo:     ${demoSentence(await makeDemo(opened, command), command)}`)
  const seeded = await engine.seed()
  print(`Cron:     ${seeded.length === 0 ? 'all jobs existed' : `seeded ${seeded.join(', ')}`}`)
  print(`Views:    ${viewsSentence(engine, await bringViewsUpToDate(engine))}\n`)
  const summaries = await warmAll(engine, { signal: command.signal })
  summaries.forEach(printSummary)
  return summaries
}
