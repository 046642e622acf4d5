import type { ZodOpenApiPathsObject } from 'zod-openapi'
import * as z from 'zod'
import { DeadLettersQuery } from '../routes/jobs.ts'
import { operation } from './operation.ts'

const Id = z.object({ id: z.string().meta({ description: 'The id of a job' }) })

export function jobPaths(): ZodOpenApiPathsObject {
  const tag = 'jobs'
  const jobs = { summary: 'How many jobs there are in each lane, and those that run', tag } as const
  const dead = { summary: 'Jobs whose last attempt failed, the latest first', tag } as const
  const retry = 'Put a dead job back into its lane, under a new id; 409 if it is not dead'
  const cancel = 'Remove a job that waits, or stop one that runs; 409 if it has ended'
  return {
    '/api/admin/jobs': { get: operation(jobs) },
    '/api/admin/jobs/dead': { get: operation({ ...dead, query: DeadLettersQuery }) },
    '/api/admin/jobs/{id}': {
      get: operation({ summary: 'One job', tag, path: Id }),
      delete: operation({ summary: 'Forget a dead job; 409 if it is not dead', tag, path: Id }),
    },
    '/api/admin/jobs/{id}/retry': { post: operation({ summary: retry, tag, path: Id }) },
    '/api/admin/jobs/{id}/cancel': { post: operation({ summary: cancel, tag, path: Id }) },
  }
}
