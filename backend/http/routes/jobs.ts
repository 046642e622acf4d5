import { Router, type RequestHandler, type Response } from 'express'
import * as z from 'zod'
import type { Lanes } from '../../engine/lanes/index.ts'
import { userOf } from '../access.ts'
import { validate } from '../validate.ts'

/** What the routes need of the lanes. */
export type JobRoutesParts = {
  lanes: Pick<Lanes, 'counts' | 'active' | 'deadLetters' | 'find' | 'retry' | 'cancel' | 'discard'>
}

export const DeadLettersQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
})

/** Jobs are about all tenants, so they are superadmins' business. */
export function jobRoutes({ lanes }: JobRoutesParts): Router {
  const router = Router()
  router.get(
    '/',
    superadmins(async () => ({ lanes: await lanes.counts(), active: await lanes.active() })),
  )
  router.get('/dead', listDeadLetters(lanes))
  router.get(
    '/:id',
    superadmins(async (id) => ({ job: await lanes.find(id) })),
  )
  router.delete(
    '/:id',
    superadmins(async (id) => {
      await lanes.discard(id)
      return { id, discarded: true }
    }),
  )
  router.post(
    '/:id/retry',
    superadmins(async (id) => ({ job: await lanes.find(await lanes.retry(id)) })),
  )
  router.post(
    '/:id/cancel',
    superadmins(async (id) => {
      await lanes.cancel(id)
      return { id, cancelled: true }
    }),
  )
  return router
}

function listDeadLetters(lanes: JobRoutesParts['lanes']): RequestHandler {
  return async (request, response) => {
    userOf(response, ['superadmin'])
    const { limit } = validate(DeadLettersQuery, request.query, 'query')
    const jobs = await lanes.deadLetters(limit)
    send(response, { jobs, total: jobs.length })
  }
}

function superadmins(answer: (id: string) => Promise<object>): RequestHandler {
  return async (request, response) => {
    userOf(response, ['superadmin'])
    send(response, await answer(String(request.params['id'])))
  }
}

function send(response: Response, data: object): void {
  response.json({ status: 'success', data })
}
