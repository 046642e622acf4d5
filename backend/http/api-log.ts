// Every request becomes a row of `api_logs`. Never on the request's path: what is known of it is kept in memory, and written
// once a second. While the database is away, and beyond what one write can hold, requests are only counted.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Request, RequestHandler, Response } from 'express'
import { MINUTE, SECOND } from '../engine/clock.ts'
import type { Log } from '../engine/log.ts'
import type { LoggedRequest } from '../engine/monitoring/index.ts'
import type { InstalledReport } from '../engine/reports/index.ts'
import type { Service } from '../engine/service.ts'
import { GLOBAL, type Scope } from '../engine/tenancy/index.ts'
import type { Caller } from './token.ts'

export type ApiLog = Service & { push(request: LoggedRequest): void }

export type ApiLogOptions = {
  write: (requests: readonly LoggedRequest[]) => Promise<void>
  isOn: boolean
  log: Log
  /** How many requests are kept between two writes. */
  max?: number
}

const FLUSH_MS = SECOND
const MAX = 5000
const REPORT_MS = MINUTE
// A stop does not wait for a database that does not answer.
const STOP_MS = 2 * SECOND

export function createApiLog(options: ApiLogOptions): ApiLog {
  const { write, isOn, log, max = MAX } = options
  const losses = createLosses(log)
  let kept: LoggedRequest[] = []
  let writing = Promise.resolve()
  let timer: NodeJS.Timeout | undefined

  const flush = async (): Promise<void> => {
    const requests = kept
    kept = []
    try {
      if (requests.length > 0) await write(requests)
    } catch (error) {
      losses.add(requests.length, error)
    }
    losses.report()
  }
  // The next second begins when this one is written, so that one write is under way at a time.
  const flushLater = (): void => {
    timer ??= setTimeout(() => {
      writing = flush().finally(() => {
        timer = undefined
        if (kept.length > 0) flushLater()
      })
    }, FLUSH_MS).unref()
  }
  return {
    push: (request) => {
      if (!isOn) return
      if (kept.length >= max) return losses.add(1)
      kept.push(request)
      flushLater()
    },
    stop: async () => {
      clearTimeout(timer)
      await Promise.race([writing.then(flush), sleep(STOP_MS, undefined, { ref: false })])
      losses.report({ isLast: true })
    },
  }
}

type Losses = {
  add(count: number, error?: unknown): void
  report(options?: { isLast: boolean }): void
}

/** Tells at most once a minute how many requests were lost. */
function createLosses(log: Log): Losses {
  let lost = 0
  let cause: unknown
  let reportedAt = -Infinity
  return {
    add: (count, error) => {
      lost += count
      cause = error ?? cause
    },
    report: ({ isLast } = { isLast: false }) => {
      const now = performance.now()
      if (lost === 0 || (!isLast && now - reportedAt < REPORT_MS)) return
      log.warn(`${lost} requests were not written to api_logs.`, cause ? { error: cause } : {})
      reportedAt = now
      lost = 0
      cause = undefined
    },
  }
}

type Locals = { caller?: Caller; alias?: string; tenantId?: string }

/** What only the route of a report knows of its request. */
export function noteReport(
  response: Response<unknown, Locals>,
  { report, scope }: { report: InstalledReport; scope: Scope },
): void {
  response.locals.alias = report.alias
  response.locals.tenantId = scope.tenantId
}

/** Logs the requests that come by. */
export function logRequests(apiLog: ApiLog): RequestHandler {
  return (request, response, next) => {
    const start = performance.now()
    response.on('finish', () => {
      apiLog.push({
        ...lastingOf(request, response),
        status: response.statusCode,
        responseTimeMs: performance.now() - start,
        cacheState: cacheStateOf(response),
        at: Date.now(),
      })
    })
    next()
  }
}

export type Lasting = Pick<LoggedRequest, 'endpoint' | 'method' | 'tenantId'>

/** What is the same for every request like this one. */
export function lastingOf(request: Request, response: Response<unknown, Locals>): Lasting {
  const { alias } = response.locals
  return {
    endpoint: endpointOf(request).replace(/:alias$/, alias ?? ':alias'),
    method: request.method,
    tenantId: tenantOf(response.locals),
  }
}

// A path that no route knows could be anything, and so could a part of it that a route leaves open: neither is written down.
function endpointOf({ originalUrl, route }: Request): string {
  const pattern = segmentsOf(patternOf(route))
  if (!route) return 'unknown'
  const path = segmentsOf(originalUrl.split('?', 1)[0] ?? '')
  const mount = path.slice(0, path.length - pattern.length).map((part) => part.toLowerCase())
  return `/${[...mount, ...pattern].join('/')}`
}

function patternOf(route: unknown): string {
  const hasPath = typeof route === 'object' && route !== null && 'path' in route
  return hasPath && typeof route.path === 'string' ? route.path : ''
}

function segmentsOf(path: string): string[] {
  return path.split('/').filter(Boolean)
}

function tenantOf({ tenantId, caller }: Locals): string | null {
  if (tenantId !== undefined) return tenantId === GLOBAL ? null : tenantId
  return caller?.kind === 'user' ? caller.principal.tenantId : null
}

function cacheStateOf(response: Response): string | null {
  const state = response.getHeader('x-cache')
  return typeof state === 'string' ? state : null
}
