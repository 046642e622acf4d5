import * as z from 'zod'
import type { ZodOpenApiPathsObject } from 'zod-openapi'
import { cronJobChanges, newCronJob } from '../../engine/cron/index.ts'
import { ExecuteBody, JobsQuery, RunsQuery } from '../routes/cron.ts'
import { operation } from './operation.ts'

const Id = z.object({ id: z.string().meta({ description: 'A uuid' }) })

export function cronPaths(): ZodOpenApiPathsObject {
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
