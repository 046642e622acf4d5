// The HTTP server: the hit path first, everything else through Express; and a stop that lets requests finish.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Express } from 'express'
import type { Engine } from '../engine/engine.ts'
import { messageOf, PrewarmError } from '../engine/errors.ts'
import type { Log } from '../engine/log.ts'
import type { Service } from '../engine/service.ts'
import { createApiLog } from './api-log.ts'
import { createApp } from './app.ts'
import { createCacheLog } from './cache-log.ts'
import { answerClientError } from './client-error.ts'
import { createHitPath, type HitPath } from './hit-path.ts'
import { createRateLimit } from './rate-limit.ts'
import { createPayloads } from './report-answer.ts'
import { createAuthentication, type TokenOptions } from './token.ts'

export type HttpOptions = {
  engine: Engine
  host: string
  /** 0 takes a free one. */
  port: number
  tokens: TokenOptions
  rateLimitPerMinute: number
  bodyLimitBytes: number
  log: Log
}

export type HttpServer = Service & { url: string; port: number }

// Together less than the ten seconds that orchestrators commonly grant.
const DRAIN_MS = 8000
const IDLE_SWEEP_MS = 100
const PAYLOAD_BYTES = 64 * 1024 * 1024

/** Resolves when it listens; rejects with `bad_configuration` when it cannot. */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const { log } = options
  let isAccepting = true
  const { app, hitPath, logs } = build(options, () => isAccepting)
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (!isAccepting) response.setHeader('connection', 'close')
    else if (await hitPath.serve(request, response)) return
    app(request, response)
  }
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      log.error('A request could not be answered.', { error })
      response.destroy()
    })
  })
  server.on('clientError', answerClientError)
  const port = await listen(server, options)
  let stopped: Promise<void> | undefined
  const stop = (): Promise<void> => {
    isAccepting = false
    stopped ??= drain(server).then(() => stopLogs(logs))
    return stopped
  }
  return { url: `http://${urlHost(options.host)}:${port}`, port, stop }
}

type Built = { app: Express; hitPath: HitPath; logs: readonly Service[] }

function build(options: HttpOptions, isAccepting: () => boolean): Built {
  const { engine, tokens, log, bodyLimitBytes } = options
  const { domains, reports, lanes, cron, views, monitoring } = engine
  const limit = createRateLimit(options.rateLimitPerMinute)
  const cacheLog = createCacheLog(log)
  const payloads = createPayloads(PAYLOAD_BYTES)
  const apiLog = createApiLog({
    write: (requests) => monitoring.writeRequests(requests),
    isOn: monitoring.settings.logsRequests,
    log,
  })
  const hitPath = createHitPath({ reports, limit, log: cacheLog, apiLog, payloads })
  const app = createApp({
    reports: { reports, hitPath, payloads, log: cacheLog },
    cron: { cron },
    views: { domains, views, refreshToken: tokens.refreshToken },
    jobs: { lanes },
    alerts: { incidents: monitoring.incidents },
    system: { health: () => engine.health(), isAccepting },
    authenticate: createAuthentication(tokens),
    limit,
    apiLog,
    bodyLimitBytes,
    log,
  })
  return { app, hitPath, logs: [cacheLog, apiLog] }
}

async function stopLogs(logs: readonly Service[]): Promise<void> {
  await Promise.all(logs.map((one) => one.stop()))
}

async function listen(server: Server, { host, port }: HttpOptions): Promise<number> {
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (error) {
    const field = isPortsFault(error) ? 'PORT' : 'HOST'
    throw new PrewarmError(
      'bad_configuration',
      `${field}: cannot listen on ${host}:${port}: ${messageOf(error)}.`,
      { field, cause: error },
    )
  }
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server has no port.')
  return address.port
}

function isPortsFault(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'EADDRINUSE' || code === 'EACCES'
}

function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}

// A connection that is kept alive is closed as soon as it is idle; what is not done in time is cut.
async function drain(server: Server): Promise<void> {
  if (!server.listening) return
  const closed = once(server, 'close')
  server.close()
  const sweep = setInterval(() => server.closeIdleConnections(), IDLE_SWEEP_MS)
  const deadline = new AbortController()
  await Promise.race([closed, sleep(DRAIN_MS, undefined, { signal: deadline.signal })])
  deadline.abort()
  clearInterval(sweep)
  server.closeAllConnections()
}
