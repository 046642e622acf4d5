import { Router, type RequestHandler } from 'express'
import { PrewarmError } from '../../engine/errors.ts'
import type { InstalledReport, Reports } from '../../engine/reports/index.ts'
import { userOf } from '../access.ts'
import { serveReport, type ReportRoutesParts } from '../serve-report.ts'
import { clearCache } from './clear-cache.ts'

/** Every report of every domain, under the paths that all of them have. */
export function reportRoutes(parts: ReportRoutesParts): Router {
  const { catalog } = parts.reports
  const router = Router()
  router.get('/', list(parts.reports))
  router.post('/clear-cache', clearCache(parts.reports))
  router.get(
    '/:alias',
    serveReport(parts, 'generic', ({ params }) =>
      existing(catalog.findAlias(String(params['alias']))),
    ),
  )
  router.get(
    '/:domain/:report',
    serveReport(parts, 'generic', ({ params }) =>
      existing(catalog.find(String(params['domain']), String(params['report']))),
    ),
  )
  return router
}

/** The paths that domains gave to their reports, such as `/api/customers`. */
export function ownPathRoutes(parts: ReportRoutesParts): Router {
  const router = Router()
  for (const report of parts.reports.catalog.all) {
    if (report.path)
      router.get(
        report.path,
        serveReport(parts, 'own', () => report),
      )
  }
  return router
}

function existing(report: InstalledReport | undefined): InstalledReport {
  if (report) return report
  throw new PrewarmError('not_found', 'There is no such report.', { field: 'report' })
}

function list({ catalog }: Reports): RequestHandler {
  return (_request, response) => {
    const { role } = userOf(response)
    const readable = catalog.all.filter(
      ({ scoped, isForMembers }) => role !== 'member' || scoped || isForMembers,
    )
    const reports = readable.map(listed)
    response.json({ status: 'success', data: { reports, total: reports.length } })
  }
}

function listed({ id, domain, name, title, path, widgets, variant, params }: InstalledReport) {
  return {
    id,
    title,
    path: `/api/reports/${domain}/${name}`,
    ...(path ? { own_path: path } : {}),
    widgets: Object.keys(widgets ?? {}),
    parameters: {
      ...(variant ? { [variant.param]: variant.values } : {}),
      ...Object.fromEntries(Object.keys(params?.shape ?? {}).map((param) => [param, 'text'])),
    },
  }
}
