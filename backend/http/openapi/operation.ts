// What the descriptions of all operations have in common.
import * as z from 'zod'
import type { ZodOpenApiOperationObject, ZodOpenApiRequestBodyObject } from 'zod-openapi'

export const Success = z
  .object({
    status: z.literal('success'),
    message: z.string().optional(),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'Success' })

const Problem = z
  .object({
    status: z.literal('error'),
    message: z.string(),
    code: z.string().meta({ description: 'Stable; switch on it' }),
    field: z
      .string()
      .optional()
      .meta({ description: 'The parameter, body field or header that is wrong' }),
    request_id: z.string(),
  })
  .meta({ id: 'Problem' })

export type Described = {
  summary: string
  tag: 'reports' | 'views' | 'alerts' | 'jobs' | 'cron' | 'system'
  query?: z.ZodObject
  path?: z.ZodObject
  body?: z.ZodType
  answer?: z.ZodType
  status?: '200' | '201'
}

export function json(schema: z.ZodType): ZodOpenApiRequestBodyObject {
  return { content: { 'application/json': { schema } } }
}

export function operation({
  summary,
  tag,
  query,
  path,
  body,
  answer,
  status,
}: Described): ZodOpenApiOperationObject {
  return {
    summary,
    tags: [tag],
    ...(query || path
      ? { requestParams: { ...(query ? { query } : {}), ...(path ? { path } : {}) } }
      : {}),
    ...(body ? { requestBody: json(body) } : {}),
    responses: {
      [status ?? '200']: { description: 'Success', ...json(answer ?? Success) },
      '4XX': { description: 'The request is wrong; `field` says where', ...json(Problem) },
      '5XX': { description: 'Not the caller’s fault', ...json(Problem) },
    },
  }
}
