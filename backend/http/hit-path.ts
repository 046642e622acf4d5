// The shortest way to an entry that was read a moment ago: no routing, no JSON, no Redis. The report route remembers what it
// answered to whom; the same URL with the same token is the same answer as long as the token is good and the entry is
// trusted. Anything else goes the whole way.
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Request } from 'express'
import { LRUCache } from 'lru-cache'
import type { Entry } from '../engine/cache/index.ts'
import type { LoggedRequest } from '../engine/monitoring/index.ts'
import type { Reports, InstalledReport } from '../engine/reports/index.ts'
import type { ApiLog, Lasting } from './api-log.ts'
import { callerId } from './authentication.ts'
import type { CacheLog } from './cache-log.ts'
import type { RateLimit } from './rate-limit.ts'
import {
  etagOf,
  hitPayload,
  isKnown,
  momentHeaders,
  timing,
  type Payloads,
  type Widgets,
} from './report-answer.ts'
import { requestIdOf } from './request-id.ts'
import type { Caller } from './token.ts'

export type KnownAnswer = {
  report: InstalledReport
  key: string
  widgets: Widgets
  isBare: boolean
  caller: Caller
  /** What the log of requests says of every request like this. */
  logged: Lasting
  headers: OutgoingHttpHeaders
}

type Remembered = KnownAnswer & {
  /** Those headers that do not depend on the request or the moment; names and values in turn. */
  lasting: readonly string[]
}

const MOMENTARY = new Set([
  'x-request-id',
  'age',
  'cache-status',
  'ratelimit',
  'ratelimit-policy',
  'server-timing',
  'content-length',
])

export type HitPath = {
  remember(request: Pick<Request, 'headers' | 'originalUrl'>, answer: KnownAnswer): void
  /** Answers the request and resolves with true, or leaves it alone. */
  serve(request: IncomingMessage, response: ServerResponse): Promise<boolean>
}

export type HitPathParts = {
  reports: Reports
  limit: RateLimit
  log: CacheLog
  apiLog: ApiLog
  payloads: Payloads
}

const REMEMBERED_URLS = 20_000
// Callers choose their URLs, and may make each as long as a URL can be.
const REMEMBERED_CHARACTERS = 20_000_000

export function createHitPath(parts: HitPathParts): HitPath {
  const answers = new LRUCache<string, Remembered>({
    max: REMEMBERED_URLS,
    maxSize: REMEMBERED_CHARACTERS,
    sizeCalculation: (_answer, name) => name.length,
  })
  return {
    // Routers cut `url`; the whole one is what the next request comes with.
    remember: ({ headers, originalUrl: url }, answer) => {
      const lasting = Object.entries(answer.headers).filter(([name]) => !MOMENTARY.has(name))
      const remembered = { ...answer, lasting: flat(Object.fromEntries(lasting)) }
      answers.set(nameOf({ headers, url }), remembered)
    },
    serve: async (request, response) => {
      const start = performance.now()
      const known = request.method === 'GET' ? answers.get(nameOf(request)) : undefined
      if (!known || hasExpired(known.caller)) return false
      const entry = parts.reports.trusted(known.key)
      if (!entry) return false
      const { isAllowed, headers } = await parts.limit.take(callerId(known.caller))
      if (!isAllowed) return false
      const moment = { at: Date.now(), responseTimeMs: performance.now() - start }
      const momentary = { ...headers, ...headersOfMoment(request, entry, moment) }
      send(parts, known, { request, response, entry, momentary })
      parts.apiLog.push(loggedHit(known, response.statusCode, moment))
      return true
    },
  }
}

function nameOf({ headers, url }: Pick<IncomingMessage, 'headers' | 'url'>): string {
  return `${headers.authorization} ${url}`
}

function hasExpired(caller: Caller): boolean {
  return caller.kind === 'user' && Date.now() >= caller.expiresAt
}

/** Told once for all who ask, because telling the time costs more than the rest of a row in the log. */
type Moment = Pick<LoggedRequest, 'at' | 'responseTimeMs'>

function loggedHit(
  { logged: { endpoint, method, tenantId } }: Remembered,
  status: number,
  { at, responseTimeMs }: Moment,
): LoggedRequest {
  return { endpoint, method, tenantId, status, responseTimeMs, cacheState: 'HIT', at }
}

function headersOfMoment(
  request: IncomingMessage,
  entry: Entry,
  { at, responseTimeMs }: Moment,
): Record<string, string> {
  return {
    ...momentHeaders('HIT', entry, at),
    'server-timing': timing('HIT', null, responseTimeMs),
    'x-request-id': requestIdOf(request),
  }
}

type Exchange = {
  request: IncomingMessage
  response: ServerResponse
  entry: Entry
  momentary: Record<string, string>
}

function send(
  { payloads, log }: HitPathParts,
  known: Remembered,
  { request, response, entry, momentary }: Exchange,
): void {
  const { report, key, widgets, lasting } = known
  log.hit(report, key, 'memory')
  const headers = [...lasting, ...flat(momentary)]
  if (isKnown(request.headers['if-none-match'], etagOf(entry, widgets))) {
    response.writeHead(304, headers).end()
  } else {
    const payload = hitPayload(payloads, entry, known)
    headers.push('content-length', String(payload.length))
    response.writeHead(200, headers).end(payload)
  }
}

/** Names and values in turn, the form that Node sends with the least work. */
function flat(headers: OutgoingHttpHeaders): string[] {
  return Object.entries(headers).flatMap(([name, value]) => [name, String(value)])
}
