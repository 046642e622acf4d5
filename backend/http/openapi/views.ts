import * as z from 'zod'
import type { ZodOpenApiOperationObject, ZodOpenApiPathsObject } from 'zod-openapi'
import type { Domain, RefreshEndpoint } from '../../engine/domain.ts'
import { EventBody, HistoryQuery } from '../routes/views.ts'
import { json, operation } from './operation.ts'

const Name = z.object({ name: z.string().meta({ description: 'The name of a view' }) })

const Freshness = z
  .object({
    view_name: z.string(),
    last_refreshed: z.iso.datetime(),
    age_seconds: z.int(),
  })
  .meta({ id: 'ViewFreshness' })

const Result = z
  .object({
    view_name: z.string(),
    status: z.enum(['refreshed', 'skipped', 'failed']),
    refreshed_at: z.iso.datetime().nullable().meta({ description: 'Of the data that it shows' }),
  })
  .meta({ id: 'ViewResult' })

const Refreshed = z
  .object({
    success: z.literal(true),
    refreshed_at: z.iso.datetime(),
    duration_ms: z.int(),
    views: z.array(Result),
    freshness: z.array(Freshness),
  })
  .meta({ id: 'Refreshed' })

const NotRefreshed = z
  .object({
    success: z.literal(false),
    error: z.string(),
    details: z.string().meta({ description: 'Which views failed, and why' }),
    views: z.array(Result),
    freshness: z.array(Freshness),
  })
  .loose()
  .meta({ id: 'NotRefreshed' })

const AllFreshness = z
  .object({ success: z.literal(true), views: z.array(Freshness), checked_at: z.iso.datetime() })
  .meta({ id: 'AllFreshness' })

const tag = 'views'

export function viewPaths(): ZodOpenApiPathsObject {
  const event = { summary: 'Tell that something has happened', tag, body: EventBody } as const
  const history = { summary: 'Refreshes of a view', tag, path: Name, query: HistoryQuery } as const
  return {
    '/api/admin/views': { get: operation({ summary: 'All views and how fresh they are', tag }) },
    '/api/admin/views/{name}/history': { get: operation(history) },
    '/api/admin/views/{name}/refresh': {
      post: operation({ summary: 'Refresh a view now', tag, path: Name }),
    },
    '/api/admin/events': { post: operation(event) },
  }
}

export function refreshEndpointPaths(domains: readonly Domain[]): ZodOpenApiPathsObject {
  const endpoints = domains.flatMap(({ refreshEndpoints = [] }) => refreshEndpoints)
  return Object.fromEntries(
    endpoints.map((endpoint) => [
      endpoint.path,
      {
        get: endpoint.onGet === 'refresh' ? refreshing(endpoint) : telling(endpoint),
        post: refreshing(endpoint),
      },
    ]),
  )
}

function refreshing({ views }: RefreshEndpoint): ZodOpenApiOperationObject {
  const described = operation({ summary: `Refresh ${views.join(', ')}`, tag, answer: Refreshed })
  const failed = { description: 'A view could not be refreshed', ...json(NotRefreshed) }
  return { ...described, responses: { ...described.responses, '500': failed }, security: EITHER }
}

function telling({ views }: RefreshEndpoint): ZodOpenApiOperationObject {
  const summary = `How fresh ${views.join(', ')} are`
  return { ...operation({ summary, tag, answer: AllFreshness }), security: EITHER }
}

const EITHER = [{ token: [] }, { refreshToken: [] }]
