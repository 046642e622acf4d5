// The shortest way to an entry that was read a moment ago: no routing, no JSON, no Redis. The report route remembers what it
// answered to whom; the same URL with the same token is the same answer as long as the token is good and the entry is
// trusted. Anything else goes the whole way.
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { LRUCache } from 'lru-cache'
import type { Entry } from '../engine/cache/index.ts'
import type { Reports, InstalledReport } from '../engine/reports/index.ts'
import { callerId } from './authentication.ts'
import type { CacheLog } from './cache-log.ts'
import type { RateLimit } from './rate-limit.ts'
import {
  etagOf,
  hitPayload,
  isKnown,
  momentHeaders,
  type Payloads,
  type Widgets,
} from './report-answer.ts'
import { requestIdOf } from './request-id.ts'
import type { Caller } from './token.ts'

export type KnownAnswer = {
  report: InstalledReport
  key: string
  widgets: Widgets
  caller: Caller
  /** Those headers of the answer that do not depend on the request or the moment. */
  headers: OutgoingHttpHeaders
}

export type HitPath = {
  remember(request: IncomingMessage, answer: KnownAnswer): void
  /** Answers the request and resolves with true, or leaves it alone. */
  serve(request: IncomingMessage, response: ServerResponse): Promise<boolean>
}

export type HitPathParts = {
  reports: Reports
  limit: RateLimit
  log: CacheLog
  payloads: Payloads
}

const REMEMBERED_URLS = 20_000

export function createHitPath(parts: HitPathParts): HitPath {
  const answers = new LRUCache<string, KnownAnswer>({ max: REMEMBERED_URLS })
  return {
    remember: (request, answer) => void answers.set(nameOf(request), answer),
    serve: async (request, response) => {
      const known = request.method === 'GET' ? answers.get(nameOf(request)) : undefined
      if (!known || hasExpired(known.caller)) return false
      const entry = parts.reports.trusted(known.key)
      if (!entry) return false
      const { isAllowed, headers } = await parts.limit.take(callerId(known.caller))
      if (!isAllowed) return false
      send(
        parts,
        { ...known, headers: { ...known.headers, ...headers } },
        { request, response, entry },
      )
      return true
    },
  }
}

function nameOf({ headers, url }: IncomingMessage): string {
  return `${headers.authorization} ${url}`
}

function hasExpired(caller: Caller): boolean {
  return caller.kind === 'user' && Date.now() >= caller.expiresAt
}

type Exchange = { request: IncomingMessage; response: ServerResponse; entry: Entry }

function send(
  { payloads, log }: HitPathParts,
  { report, key, widgets, headers }: KnownAnswer,
  { request, response, entry }: Exchange,
): void {
  log.hit(report, key, 'memory')
  const moment = momentHeaders('HIT', entry, Date.now())
  const all = { ...headers, ...moment, 'x-request-id': requestIdOf(request) }
  if (isKnown(request.headers['if-none-match'], etagOf(entry, widgets))) {
    response.writeHead(304, all).end()
  } else {
    const payload = hitPayload(payloads, report, entry, widgets)
    response.writeHead(200, { ...all, 'content-length': payload.length }).end(payload)
  }
}
