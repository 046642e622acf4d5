import * as z from 'zod'
import type { ZodOpenApiPathsObject } from 'zod-openapi'
import { AlertsQuery } from '../routes/alerts.ts'
import { operation } from './operation.ts'

const Id = z.object({ id: z.string().meta({ description: 'A uuid' }) })

export function alertPaths(): ZodOpenApiPathsObject {
  const tag = 'alerts'
  const summary = 'Incidents of views and jobs, the newest first'
  return {
    '/api/admin/alerts': { get: operation({ summary, tag, query: AlertsQuery }) },
    '/api/admin/alerts/{id}/acknowledge': {
      post: operation({ summary: 'Say that somebody is at it', tag, path: Id }),
    },
    '/api/admin/alerts/{id}/resolve': {
      post: operation({
        summary: 'End it; only a further failure opens another one',
        tag,
        path: Id,
      }),
    },
    '/api/admin/alerts/{id}/suppress': {
      post: operation({ summary: 'Notify nobody of it any more', tag, path: Id }),
    },
  }
}
