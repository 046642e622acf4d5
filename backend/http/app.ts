import express, { type Express, type RequestHandler } from 'express'
import helmet from 'helmet'
import type { Log } from '../engine/log.ts'
import { PrewarmError } from '../engine/errors.ts'
import { authentication } from './authentication.ts'
import { errorHandler } from './errors.ts'
import { limitAddresses, type RateLimit } from './rate-limit.ts'
import { requestIdOf } from './request-id.ts'
import { cronRoutes, type CronRoutesParts } from './routes/cron.ts'
import { docsRoutes } from './routes/docs.ts'
import { reportRoutes, type ReportRoutesParts } from './routes/reports.ts'
import { systemRoutes, type SystemRoutesParts } from './routes/system.ts'
import type { Authenticate } from './token.ts'

export type AppParts = {
  reports: ReportRoutesParts
  cron: CronRoutesParts
  system: SystemRoutesParts
  authenticate: Authenticate
  limit: RateLimit
  bodyLimitBytes: number
  log: Log
}

export function createApp(parts: AppParts): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.use(securityHeaders(), requestId, docsRoutes(parts.reports.reports.catalog), keptByNobody)
  app.use(systemRoutes(parts.system, limitAddresses(parts.limit)))
  app.use('/api', authentication(parts.authenticate, parts.limit))
  app.use(express.json({ limit: parts.bodyLimitBytes, type: () => true }))
  app.use('/api/reports', reportRoutes(parts.reports))
  app.use('/api/cron', cronRoutes(parts.cron))
  app.use(notFound)
  app.use(errorHandler(parts.log))
  return app
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
