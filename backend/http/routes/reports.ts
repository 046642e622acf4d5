import { Router, type Request, type RequestHandler, type Response } from 'express'
import * as z from 'zod'
import type { BustTarget } from '../../engine/cache/index.ts'
import { badRequest, PrewarmError } from '../../engine/errors.ts'
import type { InstalledReport, ReadResult, Reports } from '../../engine/reports/index.ts'
import type { Principal, Scope } from '../../engine/tenancy/index.ts'
import { scopeOf, userOf } from '../access.ts'
import { callerOf } from '../authentication.ts'
import type { CacheLog } from '../cache-log.ts'
import type { HitPath } from '../hit-path.ts'
import {
  etagOf,
  hitPayload,
  isKnown,
  missPayload,
  momentHeaders,
  timing,
  type Payloads,
  type Widgets,
} from '../report-answer.ts'
import { Flag, TenantId, Uuid, validate } from '../validate.ts'

export type ReportRoutesParts = {
  reports: Reports
  hitPath: HitPath
  payloads: Payloads
  log: CacheLog
}

/** What every report can be asked; a report with a variant has one parameter more. */
export const ReportQuery = z.object({
  tenant_id: TenantId.optional(),
  bust_cache: Flag.optional(),
  widgets: z.string().optional(),
  team_id: Uuid.optional(),
  assigned_to: Uuid.optional(),
  profile: Flag.optional(),
})

export const ClearCacheBody = z.strictObject({
  tenant_id: TenantId.optional(),
  report: z.string().optional(),
})

export function reportRoutes(parts: ReportRoutesParts): Router {
  const { catalog } = parts.reports
  const router = Router()
  router.get('/', list(parts.reports))
  router.post('/clear-cache', clearCache(parts.reports))
  router.get(
    '/:alias',
    serve(parts, ({ params }) => catalog.findAlias(String(params['alias']))),
  )
  router.get(
    '/:domain/:report',
    serve(parts, ({ params }) => catalog.find(String(params['domain']), String(params['report']))),
  )
  return router
}

function list({ catalog }: Reports): RequestHandler {
  return (_request, response) => {
    const { role } = userOf(response)
    const readable = catalog.all.filter(({ scoped }) => role !== 'member' || scoped)
    const reports = readable.map(({ id, domain, name, title, widgets, variant }) => ({
      id,
      title,
      path: `/api/reports/${domain}/${name}`,
      widgets: Object.keys(widgets ?? {}),
      parameters: variant ? { [variant.param]: variant.values } : {},
    }))
    response.json({ status: 'success', data: { reports, total: reports.length } })
  }
}

function serve(
  parts: ReportRoutesParts,
  find: (request: Request) => InstalledReport | undefined,
): RequestHandler {
  return async (request, response) => {
    const start = performance.now()
    const report = find(request)
    if (!report)
      throw new PrewarmError('not_found', 'There is no such report.', { field: 'report' })
    const asked = askedOf(report, request, response)
    const result = await parts.reports.read({ report, ...asked }, asked)
    noteInLog(parts.log, report, result)
    setHeaders(response, result, asked)
    if (result.cache === 'HIT') remember(parts, { request, response, report, asked, result })
    response.set(
      'server-timing',
      timing(result.cache, result.databaseMs, performance.now() - start),
    )
    if (isKnown(request.headers['if-none-match'], etagOf(result.entry, asked.widgets))) {
      response.status(304).end()
    } else {
      const payload = payloadOf(parts, report, result, asked)
      // Node tells the length by itself, but not to HEAD.
      response.set('content-length', String(payload.length)).end(payload)
    }
  }
}

type Asked = {
  scope: Scope
  variant: string | null
  widgets: Widgets
  bust: boolean
  profile: boolean
}

function askedOf(report: InstalledReport, request: Request, response: Response): Asked {
  const query = validate(ReportQuery, request.query, 'query')
  return {
    scope: scopeOf(userOf(response), query, report),
    variant: variantOf(report, request.query),
    widgets: widgetsOf(report, query.widgets),
    bust: query.bust_cache ?? false,
    profile: query.profile ?? false,
  }
}

function variantOf({ variant }: InstalledReport, query: Request['query']): string | null {
  if (!variant) return null
  const { param, values } = variant
  const asked = query[param] ?? variant.default
  if (typeof asked === 'string' && values.includes(asked)) return asked
  throw badRequest(param, `${param}: must be ${values.join(' or ')}`)
}

function widgetsOf(report: InstalledReport, text: string | undefined): Widgets {
  const names = (text ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean)
  const known = Object.keys(report.widgets ?? {})
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined) {
    throw badRequest(
      'widgets',
      `widgets: there is no widget "${unknown}". There are: ${known.join(', ')}.`,
    )
  }
  return names.length > 0 ? [...new Set(names)].toSorted() : null
}

function noteInLog(
  log: CacheLog,
  report: InstalledReport,
  { cache, id, source }: ReadResult,
): void {
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

type Remembered = {
  request: Request
  response: Response
  report: InstalledReport
  asked: Asked
  result: ReadResult
}

function remember(
  { hitPath }: ReportRoutesParts,
  { request, response, report, asked, result }: Remembered,
): void {
  const { widgets } = asked
  hitPath.remember(request, {
    report,
    key: result.id.key,
    widgets,
    caller: callerOf(response),
    headers: response.getHeaders(),
  })
}

function payloadOf(
  { payloads }: ReportRoutesParts,
  report: InstalledReport,
  result: ReadResult,
  asked: Asked,
): Buffer {
  return result.databaseMs === null
    ? hitPayload(payloads, report, result.entry, asked.widgets)
    : missPayload(report, result, asked)
}

function clearCache(reports: Reports): RequestHandler {
  return async (request, response) => {
    const user = userOf(response, ['superadmin', 'admin'])
    const body = validate(ClearCacheBody, request.body ?? {}, 'body')
    const { target, name } = targetOf(reports, user, body)
    const entries = await reports.bust(target)
    response.json({
      status: 'success',
      message: `Cache cleared ${name}`,
      data: { cleared: true, entries },
    })
  }
}

function targetOf(
  { catalog }: Reports,
  user: Principal,
  { tenant_id, report }: z.output<typeof ClearCacheBody>,
): { target: BustTarget; name: string } {
  if (tenant_id !== undefined && report !== undefined) {
    throw badRequest('report', 'report: name a tenant or a report, not both')
  }
  if (report !== undefined) {
    if (user.role !== 'superadmin')
      throw new PrewarmError('forbidden', 'A report is cleared by superadmins.', { field: 'role' })
    if (!catalog.all.some(({ id }) => id === report))
      throw badRequest('report', `report: there is no report "${report}".`)
    return { target: { report }, name: `for report ${report}` }
  }
  const tenant = user.role === 'superadmin' ? tenant_id : ownTenant(user, tenant_id)
  return tenant === undefined
    ? { target: 'all', name: '(all tenants)' }
    : { target: { tenant }, name: `for tenant ${tenant}` }
}

/** An admin who names no tenant means his own. */
function ownTenant({ tenantId }: Principal, asked: string | undefined): string {
  if (tenantId !== null && (asked === undefined || asked === tenantId)) return tenantId
  throw new PrewarmError('not_found', 'There is no such tenant.', { field: 'tenant_id' })
}
