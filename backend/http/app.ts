import express, { type Express, type RequestHandler } from 'express'
import helmet from 'helmet'
import type { Log } from '../engine/log.ts'
import { PrewarmError } from '../engine/errors.ts'
import { type ApiLog, logRequests } from './api-log.ts'
import { authentication } from './authentication.ts'
import { errorHandler } from './errors.ts'
import { fixedPaths, type Described } from './openapi.ts'
import { checkOwnPaths } from './own-paths.ts'
import { limitAddresses, type RateLimit } from './rate-limit.ts'
import { requestIdOf } from './request-id.ts'
import { type AlertRoutesParts, alertRoutes } from './routes/alerts.ts'
import { cronRoutes, type CronRoutesParts } from './routes/cron.ts'
import { docsRoutes } from './routes/docs.ts'
import { type JobRoutesParts, jobRoutes } from './routes/jobs.ts'
import { refreshEndpointRoutes, type RefreshEndpointsParts } from './routes/refresh-endpoints.ts'
import { ownPathRoutes, reportRoutes } from './routes/reports.ts'
import { systemRoutes, type SystemRoutesParts } from './routes/system.ts'
import { viewRoutes } from './routes/views.ts'
import type { ReportRoutesParts } from './serve-report.ts'
import type { Authenticate } from './token.ts'

export type AppParts = {
  reports: ReportRoutesParts
  cron: CronRoutesParts
  alerts: AlertRoutesParts
  jobs: JobRoutesParts
  views: RefreshEndpointsParts
  system: SystemRoutesParts
  authenticate: Authenticate
  limit: RateLimit
  apiLog: ApiLog
  bodyLimitBytes: number
  log: Log
}

/** Throws `bad_configuration` for a path of a domain that means something else, too. */
export function createApp(parts: AppParts): Express {
  checkOwnPaths(parts.views.domains, Object.keys(fixedPaths()))
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.use(securityHeaders(), requestId, docsRoutes(described(parts)), keptByNobody)
  app.use(systemRoutes(parts.system, limitAddresses(parts.limit)))
  app.use('/api', logRequests(parts.apiLog))
  app.use(refreshEndpointRoutes(parts.views, parts))
  app.use('/api', authentication(parts.authenticate, parts.limit))
  app.use(express.json({ limit: parts.bodyLimitBytes, type: () => true }))
  app.use('/api/reports', reportRoutes(parts.reports))
  app.use('/api/cron', cronRoutes(parts.cron))
  app.use('/api/admin/alerts', alertRoutes(parts.alerts))
  app.use('/api/admin/jobs', jobRoutes(parts.jobs))
  app.use('/api/admin', viewRoutes(parts.views.views))
  app.use(ownPathRoutes(parts.reports))
  app.use(notFound)
  app.use(errorHandler(parts.log))
  return app
}

function described({ reports, views }: AppParts): Described {
  return { catalog: reports.reports.catalog, domains: views.domains }
}

// Plain http is common behind a proxy that ends TLS; upgrading and HSTS are that proxy's to say.
function securityHeaders(): RequestHandler {
  return helmet({
    contentSecurityPolicy: { directives: { 'upgrade-insecure-requests': null } },
    strictTransportSecurity: false,
  })
}

const requestId: RequestHandler = (request, response, next) => {
  response.set('x-request-id', requestIdOf(request))
  next()
}

// Of answers that say nothing else: errors, health, jobs and runs.
const keptByNobody: RequestHandler = (_request, response, next) => {
  response.set('cache-control', 'no-store')
  next()
}

const notFound: RequestHandler = (request) => {
  throw new PrewarmError('not_found', `There is no ${request.method} ${request.path}.`, {
    field: 'path',
  })
}
