import { Router, type RequestHandler } from 'express'
import * as z from 'zod'
import { INCIDENT_STATUSES, type Incident, type Incidents } from '../../engine/monitoring/index.ts'
import { userOf } from '../access.ts'
import { Uuid, validate } from '../validate.ts'

export type AlertRoutesParts = { incidents: Incidents }

export const AlertsQuery = z.object({
  status: z.enum(INCIDENT_STATUSES).optional(),
  page: z.coerce.number().int().min(1).max(1_000_000).default(1),
  limit: z.coerce.number().int().min(1).max(100).default(20),
})

const AlertPath = z.object({ id: Uuid })

/** For superadmins: what is wrong with a view or a job concerns all tenants. */
export function alertRoutes({ incidents }: AlertRoutesParts): Router {
  const router = Router()
  router.get('/', list(incidents))
  router.post(
    '/:id/acknowledge',
    act((id, who) => incidents.acknowledge(id, who)),
  )
  router.post(
    '/:id/resolve',
    act((id, who) => incidents.resolve(id, who)),
  )
  router.post(
    '/:id/suppress',
    act((id, who) => incidents.suppress(id, who)),
  )
  return router
}

function list(incidents: Incidents): RequestHandler {
  return async (request, response) => {
    userOf(response, ['superadmin'])
    const { status, page, limit } = validate(AlertsQuery, request.query, 'query')
    const statuses = status ? [status] : INCIDENT_STATUSES
    const data = await incidents.list(statuses, { page, pageSize: limit })
    response.json({ status: 'success', data })
  }
}

function act(change: (id: string, who: string) => Promise<Incident>): RequestHandler {
  return async (request, response) => {
    const { subject } = userOf(response, ['superadmin'])
    const { id } = validate(AlertPath, request.params, 'path')
    const alert = await change(id, subject)
    response.json({ status: 'success', data: { alert } })
  }
}
