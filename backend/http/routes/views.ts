import { Router, type RequestHandler, type Response } from 'express'
import * as z from 'zod'
import { badRequest, PrewarmError } from '../../engine/errors.ts'
import { nearest } from '../../engine/nearest.ts'
import type { RefreshResult, ViewCatalog, Views } from '../../engine/views/index.ts'
import { userOf } from '../access.ts'
import { callerName, callerOf } from '../authentication.ts'
import { Text, validate } from '../validate.ts'

/** What the routes need of the views. */
export type ViewsDoor = Pick<Views, 'catalog' | 'refresh' | 'event' | 'freshness' | 'history'>

export const HistoryQuery = z.object({
  page: z.coerce.number().int().min(1).default(1),
  limit: z.coerce.number().int().min(1).max(100).default(20),
})

export const EventBody = z.strictObject({ name: Text.min(1, 'name is required').max(200) })

/** Views hold the data of all tenants, so they are superadmins' business; events also come from platforms. */
export function viewRoutes(views: ViewsDoor): Router {
  const router = Router()
  router.get('/views', listViews(views))
  router.get('/views/:name/history', showHistory(views))
  router.post('/views/:name/refresh', refreshView(views))
  router.post('/events', raiseEvent(views))
  return router
}

const LAST_RUNS = { page: 1, pageSize: 5 }

function listViews(views: ViewsDoor): RequestHandler {
  return async (_request, response) => {
    userOf(response, ['superadmin'])
    const known = (await views.freshness()).filter(({ view_name }) => views.catalog.find(view_name))
    const listed = known.map(async (freshness) => {
      return { ...freshness, last_runs: await views.history(freshness.view_name, LAST_RUNS) }
    })
    send(response, { views: await Promise.all(listed), total: listed.length })
  }
}

function showHistory(views: ViewsDoor): RequestHandler {
  return async (request, response) => {
    userOf(response, ['superadmin'])
    const name = knownView(views.catalog, String(request.params['name']))
    const { page, limit } = validate(HistoryQuery, request.query, 'query')
    const runs = await views.history(name, { page, pageSize: limit })
    send(response, { runs, page, pageSize: limit })
  }
}

function refreshView(views: ViewsDoor): RequestHandler {
  return async (request, response) => {
    userOf(response, ['superadmin'])
    const name = knownView(views.catalog, String(request.params['name']))
    const [result] = await views.refresh([name], { triggeredBy: callerName(callerOf(response)) })
    if (result?.status === 'failed') sendFailure(response, result)
    else if (result) send(response, { view: refreshed(result) })
  }
}

/** As the documents spell it. */
export function refreshed({ view, status, refreshedAt }: RefreshResult): object {
  return { view_name: view, status, refreshed_at: refreshedAt }
}

function sendFailure(response: Response, result: RefreshResult): void {
  response.status(500).json({
    status: 'error',
    message: `The view ${result.view} could not be refreshed: ${result.error}`,
    code: 'refresh_failed',
    request_id: response.getHeader('x-request-id'),
    data: { view: refreshed(result) },
  })
}

function raiseEvent(views: ViewsDoor): RequestHandler {
  return async (request, response) => {
    if (callerOf(response).kind !== 'scheduler') userOf(response, ['superadmin'])
    const { name } = validate(EventBody, request.body ?? {}, 'body')
    checkEvent(views.catalog, name)
    send(response, { event: name, views: await views.event(name) })
  }
}

function checkEvent({ all }: ViewCatalog, name: string): void {
  const policies = all.flatMap(({ refresh }) => refresh)
  const known = new Set(policies.flatMap((policy) => ('onEvent' in policy ? [policy.onEvent] : [])))
  if (known.has(name)) return
  const meant = nearest(name, known)
  const hint = meant ? `Did you mean "${meant}"?` : `There are: ${[...known].join(', ') || 'none'}.`
  throw badRequest('name', `name: there is no event "${name}". ${hint}`)
}

function knownView(catalog: ViewCatalog, name: string): string {
  if (catalog.find(name)) return name
  throw new PrewarmError('not_found', 'There is no such view.', { field: 'name' })
}

function send(response: Response, data: object): void {
  response.json({ status: 'success', data })
}
