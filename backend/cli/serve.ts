import { install } from '../engine/install.ts'
import { startHttp, type HttpServer } from '../http/index.ts'
import type { AddCommand } from './command.ts'
import { open, tokenOptions, type Context, type Opened } from './context.ts'
import { stopInTime, untilStopped } from './stopping.ts'

export const addServe: AddCommand = (program, run) => {
  program
    .command('serve')
    .description('serve the API and run the cron jobs; what prewarm does without a command')
    .action(() =>
      run((context) => untilStopped((stopped) => serve(context, stopped)), { loud: true }),
    )
}

/** Resolves when everything has stopped. */
async function serve(context: Context, stopped: Promise<unknown>): Promise<void> {
  const opened = await open(context, 'database')
  const { resources, domains, log } = opened
  try {
    const { applied, views } = await install(resources.db, domains, log)
    if (applied.length > 0) log.info(`Applied ${applied.length} migrations.`, { applied })
    if (views.length > 0) log.info('Views were brought up to date.', { views })
    log.info(
      `The data lies in ${resources.places.database}; the cache in ${resources.places.cache}.`,
    )
    const server = await startServing(opened)
    log.info(`Listening on ${server.url}`)
    await stopped
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
