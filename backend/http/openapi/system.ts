import * as z from 'zod'
import type { ZodOpenApiOperationObject, ZodOpenApiPathsObject } from 'zod-openapi'
import { json, operation } from './operation.ts'

const Health = z
  .object({
    status: z.enum(['ok', 'degraded', 'down']),
    services: z.record(z.string(), z.unknown()),
  })
  .loose()
  .meta({ id: 'Health' })

const Probe = z.object({ status: z.enum(['ok', 'not ready']) }).meta({ id: 'Probe' })

export function systemPaths(): ZodOpenApiPathsObject {
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
