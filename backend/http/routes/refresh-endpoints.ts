// The paths under which domains let their views be refreshed: for people with a token, and for schedulers of platforms.
import { Router, type RequestHandler, type Response } from 'express'
import type { Domain, RefreshEndpoint } from '../../engine/domain.ts'
import { badRequest, PrewarmError } from '../../engine/errors.ts'
import type { RefreshResult, ViewFreshness } from '../../engine/views/index.ts'
import { userOf } from '../access.ts'
import { authentication, callerName, callerOf } from '../authentication.ts'
import { addressOf, takeOrRefuse, type RateLimit } from '../rate-limit.ts'
import { isSameSecret, type Authenticate } from '../token.ts'
import { refreshed, type ViewsDoor } from './views.ts'

export type RefreshEndpointsParts = {
  domains: readonly Domain[]
  views: ViewsDoor
  /** Undefined: nobody may use the header x-refresh-token. */
  refreshToken: string | undefined
}

export type Doorkeeper = { authenticate: Authenticate; limit: RateLimit }

/** To be mounted before the authentication of everything else, because a refresh token is not a token for anything else. */
export function refreshEndpointRoutes(parts: RefreshEndpointsParts, keeper: Doorkeeper): Router {
  const router = Router()
  const admitted = admission(parts, keeper)
  for (const endpoint of parts.domains.flatMap(({ refreshEndpoints = [] }) => refreshEndpoints)) {
    const refresh = refreshAll(parts.views, endpoint)
    const tell = tellFreshness(parts.views, endpoint)
    router.post(endpoint.path, admitted, refresh)
    const onGet = endpoint.onGet === 'refresh' ? unlessHead(refresh, tell) : tell
    router.get(endpoint.path, admitted, onGet)
  }
  return router
}

// Express answers HEAD as GET, but who only wants the headers wants nothing done.
function unlessHead(handler: RequestHandler, forHead: RequestHandler): RequestHandler {
  return (request, response, next) =>
    (request.method === 'HEAD' ? forHead : handler)(request, response, next)
}

const HEADER = 'x-refresh-token'

function admission({ refreshToken }: RefreshEndpointsParts, keeper: Doorkeeper): RequestHandler[] {
  const byToken = authentication(keeper.authenticate, keeper.limit)
  const byEither: RequestHandler = async (request, response, next) => {
    const given = request.get(HEADER)
    if (given === undefined) return byToken(request, response, next)
    const isGood = refreshToken !== undefined && isSameSecret(given, refreshToken)
    await takeOrRefuse(keeper.limit, isGood ? HEADER : addressOf(request), response)
    if (refreshToken === undefined) throw notConfigured()
    if (!isGood) throw new PrewarmError('unauthorized', 'Invalid token', { field: HEADER })
    response.locals['caller'] = { kind: 'scheduler' }
    return next()
  }
  return [refuseInUrl, byEither, onlyManagers]
}

const onlyManagers: RequestHandler = (_request, response, next) => {
  if (callerOf(response).kind !== 'scheduler') userOf(response, ['superadmin', 'admin'])
  next()
}

// What is in a URL is in the logs of every proxy on the way.
const refuseInUrl: RequestHandler = ({ query }, _response, next) => {
  if (query['token'] !== undefined)
    throw badRequest('token', `token: a secret is not sent in a URL, but as the header ${HEADER}.`)
  next()
}

function notConfigured(): PrewarmError {
  return new PrewarmError('bad_configuration', 'Refresh endpoint not configured', {
    field: 'MATERIALIZED_VIEWS_REFRESH_TOKEN',
  })
}

function refreshAll(views: ViewsDoor, { views: names }: RefreshEndpoint): RequestHandler {
  return async (_request, response) => {
    const start = performance.now()
    const triggeredBy = callerName(callerOf(response))
    const results = await views.refresh(names, { triggeredBy })
    const answer = {
      duration_ms: Math.round(performance.now() - start),
      views: results.map(refreshed),
      freshness: await freshnessOf(views, names),
    }
    // Also what was skipped, because it was stopped: a scheduler must not take it for done.
    const failed = results.filter(({ status }) => status !== 'refreshed')
    if (failed.length > 0) sendFailure(response, failed, answer)
    else response.json({ success: true, refreshed_at: new Date().toISOString(), ...answer })
  }
}

function sendFailure(response: Response, failed: readonly RefreshResult[], answer: object): void {
  response.status(500).json({
    success: false,
    error: 'Failed to refresh views',
    details: failed.map(({ view, error }) => `${view}: ${error}`).join('; '),
    code: 'refresh_failed',
    request_id: response.getHeader('x-request-id'),
    ...answer,
  })
}

function tellFreshness(views: ViewsDoor, { views: names }: RefreshEndpoint): RequestHandler {
  return async (_request, response) => {
    const freshness = await freshnessOf(views, names)
    response.json({ success: true, views: freshness, checked_at: new Date().toISOString() })
  }
}

type Freshness = Pick<ViewFreshness, 'view_name' | 'last_refreshed' | 'age_seconds'>

async function freshnessOf(views: ViewsDoor, names: readonly string[]): Promise<Freshness[]> {
  return (await views.freshness())
    .filter(({ view_name }) => names.includes(view_name))
    .map(({ view_name, last_refreshed, age_seconds }) => ({
      view_name,
      last_refreshed,
      age_seconds,
    }))
}
