// The description of the API, made from the same schemas that check the requests.
import * as z from 'zod'
import {
  createDocument,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiRequestBodyObject,
} from 'zod-openapi'
import { cronJobChanges, newCronJob } from '../engine/cron/index.ts'
import type { Catalog, InstalledReport } from '../engine/reports/index.ts'
import { ExecuteBody, JobsQuery, RunsQuery } from './routes/cron.ts'
import { ClearCacheBody, ReportQuery } from './routes/reports.ts'

const Success = z
  .object({
    status: z.literal('success'),
    message: z.string().optional(),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'Success' })

const Answer = Success.extend({
  cached: z.boolean().meta({ description: 'Whether it came from the cache' }),
}).meta({
  id: 'ReportAnswer',
})

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

const Health = z
  .object({
    status: z.enum(['ok', 'degraded', 'down']),
    services: z.record(z.string(), z.unknown()),
  })
  .loose()
  .meta({ id: 'Health' })

const Probe = z.object({ status: z.enum(['ok', 'not ready']) }).meta({ id: 'Probe' })

const Id = z.object({ id: z.string().meta({ description: 'A uuid' }) })

type Described = {
  summary: string
  tag: 'reports' | 'cron' | 'system'
  query?: z.ZodObject
  path?: z.ZodObject
  body?: z.ZodType
  answer?: z.ZodType
  status?: '200' | '201'
}

/** OpenAPI 3.1, as a JSON value. */
export function apiDescription(catalog: Catalog): object {
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Prewarm',
      version: '1.0.0',
      description: 'Keeps every tenant’s dashboard warm before anyone opens it.',
    },
    security: [{ token: [] }],
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
    paths: { ...reportPaths(catalog), ...cronPaths(), ...systemPaths() },
  })
}

function reportPaths(catalog: Catalog): ZodOpenApiPathsObject {
  const tag = 'reports'
  const bust = {
    summary: 'Drop the entries of a tenant, a report, or all',
    tag,
    body: ClearCacheBody,
  } as const
  return {
    '/api/reports': { get: operation({ summary: 'All reports', tag }) },
    '/api/reports/clear-cache': { post: operation(bust) },
    ...Object.fromEntries(catalog.all.flatMap(pathsOfReport)),
  }
}

function pathsOfReport(report: InstalledReport): [string, ZodOpenApiPathsObject[string]][] {
  const { domain, name, alias, title, variant } = report
  const values = variant ? { [variant.param]: z.enum(variant.values).default(variant.default) } : {}
  const query = ReportQuery.extend(values)
  const described = operation({ summary: title, tag: 'reports', query, answer: Answer })
  const known = { description: 'The caller has this answer already (If-None-Match)' }
  const get = { ...described, responses: { ...described.responses, '304': known } }
  return [alias, `${domain}/${name}`].map((path) => [`/api/reports/${path}`, { get }])
}

function cronPaths(): ZodOpenApiPathsObject {
  const tag = 'cron'
  return {
    '/api/cron/jobs': {
      get: operation({ summary: 'Cron jobs', tag, query: JobsQuery }),
      post: operation({ summary: 'Make a cron job', tag, body: newCronJob, status: '201' }),
    },
    '/api/cron/jobs/{id}': {
      get: operation({ summary: 'One cron job', tag, path: Id }),
      put: operation({ summary: 'Change a cron job', tag, path: Id, body: cronJobChanges }),
      delete: operation({ summary: 'Delete a cron job', tag, path: Id }),
    },
    '/api/cron/jobs/{id}/run': {
      post: operation({ summary: 'Run a cron job now', tag, path: Id }),
    },
    '/api/cron/runs': { get: operation({ summary: 'History of runs', tag, query: RunsQuery }) },
    '/api/cron/runs/{id}': { get: operation({ summary: 'One run', tag, path: Id }) },
    '/api/cron/run': { post: operation({ summary: 'Run what is due', tag }) },
    '/api/cron/execute': {
      post: operation({ summary: 'Run a function now', tag, body: ExecuteBody }),
    },
  }
}

function systemPaths(): ZodOpenApiPathsObject {
  return {
    '/health': { get: open('Health of the database and the cache', Health) },
    '/api/system/health': { get: open('Health of the database and the cache', Health) },
    '/livez': { get: open('Whether the process lives', Probe) },
    '/readyz': { get: open('Whether requests may be sent here', Probe) },
  }
}

// Needs no token, and says the same whether things are well or not.
function open(summary: string, answer: z.ZodType): ZodOpenApiOperationObject {
  const described = operation({ summary, tag: 'system', answer })
  const down = { description: 'Not now', ...json(answer) }
  return { ...described, responses: { ...described.responses, '503': down }, security: [] }
}

function json(schema: z.ZodType): ZodOpenApiRequestBodyObject {
  return { content: { 'application/json': { schema } } }
}

function operation({
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
