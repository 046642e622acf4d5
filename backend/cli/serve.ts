import { install } from '../engine/install.ts'
import type { Service } from '../engine/service.ts'
import { startHttp, type HttpServer } from '../http/index.ts'
import type { AddCommand } from './command.ts'
import { open, tokenOptions, type Context, type Opened } from './context.ts'

export const addServe: AddCommand = (program, run) => {
  program
    .command('serve')
    .description('serve the API and run the cron jobs; what prewarm does without a command')
    .action(() => run(serve, { loud: true }))
}

/** Serves until SIGTERM or SIGINT. Resolves when everything has stopped. */
async function serve(context: Context): Promise<void> {
  const opened = await open(context)
  const { resources, domains, log } = opened
  try {
    const applied = await install(resources.db, domains)
    if (applied.length > 0) log.info(`Applied ${applied.length} migrations.`, { applied })
    log.info(
      `The data lies in ${resources.places.database}; the cache in ${resources.places.cache}.`,
    )
    const server = await startServing(opened)
    log.info(`Listening on ${server.url}`)
    await untilStopped()
    log.info('Stopping: requests under way are finished.')
    await stopInTime(opened, server)
  } catch (error) {
    await stopInTime(opened)
    throw error
  }
}

/** Starts the heartbeat and the HTTP server. */
export async function startServing(opened: Opened): Promise<HttpServer> {
  const { config, engine, log } = opened
  await engine.start()
  return startHttp({
    engine,
    host: config.HOST,
    port: config.PORT,
    tokens: await tokenOptions(opened),
    rateLimitPerMinute: config.RATE_LIMIT_PER_MINUTE,
    bodyLimitBytes: config.BODY_LIMIT_KB * 1024,
    log,
  })
}

export function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve())
  })
}

// Orchestrators commonly kill after ten seconds; then it is better that we choose what is cut.
const STOP_MS = 9500

/** Stops in the reverse order of starting, within ten seconds. */
export async function stopInTime(
  { engine, resources, log }: Opened,
  server?: Service,
): Promise<void> {
  const timer = setTimeout(() => {
    log.error('Not everything stopped in time.')
    process.exit(1)
  }, STOP_MS)
  await Promise.all([server?.stop(), engine.stop()])
  await resources.stop()
  clearTimeout(timer)
}
