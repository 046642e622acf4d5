import { Router, type RequestHandler } from 'express'
import type { Health } from '../../engine/monitoring/index.ts'

export type SystemRoutesParts = {
  health: () => Promise<Health>
  /** False while the server drains. */
  isAccepting: () => boolean
}

/** For load balancers and people: no token, and nothing in the answers that needs one. */
export function systemRoutes(
  { health, isAccepting }: SystemRoutesParts,
  limited: RequestHandler,
): Router {
  const router = Router()
  const tell: RequestHandler = async (_request, response) => {
    const found = await health()
    response.status(found.status === 'down' ? 503 : 200).json({
      ...found,
      timestamp: new Date().toISOString(),
      uptime_seconds: Math.floor(process.uptime()),
    })
  }
  router.get('/health', limited, tell)
  router.get('/api/system/health', limited, tell)
  router.get('/livez', (_request, response) => void response.json({ status: 'ok' }))
  router.get('/readyz', async (_request, response) => {
    const isReady = isAccepting() && (await health()).status !== 'down'
    response.status(isReady ? 200 : 503).json({ status: isReady ? 'ok' : 'not ready' })
  })
  return router
}
