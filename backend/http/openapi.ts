// The description of the API, made from the same schemas that check the requests.
import { createDocument, type ZodOpenApiPathsObject } from 'zod-openapi'
import type { Domain } from '../engine/domain.ts'
import type { Catalog } from '../engine/reports/index.ts'
import { alertPaths } from './openapi/alerts.ts'
import { cronPaths } from './openapi/cron.ts'
import { jobPaths } from './openapi/jobs.ts'
import { fixedReportPaths, pathsOfReports } from './openapi/reports.ts'
import { systemPaths } from './openapi/system.ts'
import { refreshEndpointPaths, viewPaths } from './openapi/views.ts'

export type Described = { catalog: Catalog; domains: readonly Domain[] }

/** OpenAPI 3.1, as a JSON value. */
export function apiDescription({ catalog, domains }: Described): object {
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Prewarm',
      version: '1.0.0',
      description: 'Keeps every tenant’s dashboard warm before anyone opens it.',
    },
    security: [{ token: [] }],
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        refreshToken: { type: 'apiKey', in: 'header', name: 'x-refresh-token' },
      },
    },
    paths: { ...fixedPaths(), ...pathsOfReports(catalog), ...refreshEndpointPaths(domains) },
  })
}

/** The paths that are there whatever the domains are. */
export function fixedPaths(): ZodOpenApiPathsObject {
  return {
    ...fixedReportPaths(),
    ...cronPaths(),
    ...viewPaths(),
    ...alertPaths(),
    ...jobPaths(),
    ...systemPaths(),
  }
}
