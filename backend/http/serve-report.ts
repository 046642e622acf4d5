// One request for a report: asked, read through the cache, answered with the entry's bytes.
import type { Request, RequestHandler, Response } from 'express'
import type { InstalledReport, ReadResult, Reports } from '../engine/reports/index.ts'
import type { Door } from './access.ts'
import { lastingOf, noteReport } from './api-log.ts'
import { callerOf } from './authentication.ts'
import type { CacheLog } from './cache-log.ts'
import type { HitPath } from './hit-path.ts'
import {
  etagOf,
  hitPayload,
  isKnown,
  missPayload,
  momentHeaders,
  timing,
  type Payloads,
} from './report-answer.ts'
import { askedOf, type Asked } from './report-query.ts'

export type ReportRoutesParts = {
  reports: Reports
  hitPath: HitPath
  payloads: Payloads
  log: CacheLog
}

export function serveReport(
  parts: ReportRoutesParts,
  door: Door,
  find: (request: Request) => InstalledReport,
): RequestHandler {
  return async (request, response) => {
    const start = performance.now()
    const asked = askedOf(find(request), door, request, response)
    noteReport(response, asked)
    const result = await parts.reports.read(asked, asked)
    noteInLog(parts.log, asked, result)
    setHeaders(response, result, asked)
    if (result.cache === 'HIT') remember(parts, { request, response, asked, result })
    const totalMs = performance.now() - start
    response.set('server-timing', timing(result.cache, result.databaseMs, totalMs))
    send(parts, { request, response, asked, result })
  }
}

function noteInLog(log: CacheLog, { report }: Asked, { cache, id, source }: ReadResult): void {
  if (cache === 'HIT' || cache === 'STALE') log.hit(report, id.key, source)
  else log.miss(report, id.key)
}

function setHeaders(response: Response, { cache, entry }: ReadResult, { widgets }: Asked): void {
  response.set({
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'private, no-cache',
    vary: 'Authorization',
    'x-cache': cache,
    etag: etagOf(entry, widgets),
    ...momentHeaders(cache, entry, Date.now()),
  })
}

type Exchange = { request: Request; response: Response; asked: Asked; result: ReadResult }

function remember({ hitPath }: ReportRoutesParts, exchange: Exchange): void {
  const { request, response, asked, result } = exchange
  const { report, widgets, isBare } = asked
  hitPath.remember(request, {
    report,
    key: result.id.key,
    widgets,
    isBare,
    caller: callerOf(response),
    logged: lastingOf(request, response),
    headers: response.getHeaders(),
  })
}

function send(parts: ReportRoutesParts, { request, response, asked, result }: Exchange): void {
  if (isKnown(request.headers['if-none-match'], etagOf(result.entry, asked.widgets))) {
    response.status(304).end()
  } else {
    const payload = payloadOf(parts, result, asked)
    // Node tells the length by itself, but not to HEAD.
    response.set('content-length', String(payload.length)).end(payload)
  }
}

function payloadOf({ payloads }: ReportRoutesParts, result: ReadResult, asked: Asked): Buffer {
  return result.databaseMs === null
    ? hitPayload(payloads, result.entry, asked)
    : missPayload(result, asked)
}
