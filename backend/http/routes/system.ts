import { Router, type RequestHandler } from 'express'
import type { Health, ServiceHealth } from '../../engine/monitoring/index.ts'

export type SystemRoutesParts = {
  health: () => Promise<Health>
  /** False while the server drains. */
  isAccepting: () => boolean
}

/** For load balancers and people: no token, and nothing in the answers that needs one. */
export function systemRoutes(parts: SystemRoutesParts, limited: RequestHandler): Router {
  const router = Router()
  const { isAccepting } = parts
  const health = shared(parts.health)
  const tell: RequestHandler = async (_request, response) => {
    const { status, services } = await health()
    const { postgres, 'redis-cache': cache } = services
    response.status(status === 'down' ? 503 : 200).json({
      status,
      services: { postgres: outward(postgres), 'redis-cache': outward(cache) },
      timestamp: new Date().toISOString(),
      uptime_seconds: Math.floor(process.uptime()),
    })
  }
  router.get('/health', limited, tell)
  router.get('/api/system/health', limited, tell)
  router.get('/livez', (_request, response) => void response.json({ status: 'ok' }))
  // Also while the database is away: every entry in the cache can be read, which is better than no instance at all.
  router.get('/readyz', (_request, response) => {
    const isReady = isAccepting()
    response.status(isReady ? 200 : 503).json({ status: isReady ? 'ok' : 'not ready' })
  })
  return router
}

// Whoever asks while the answer is being found gets that one, so that asking costs the database nothing.
function shared<T>(ask: () => Promise<T>): () => Promise<T> {
  let underWay: Promise<T> | undefined
  return () => {
    underWay ??= ask().finally(() => (underWay = undefined))
    return underWay
  }
}

// The error's own text names addresses and users.
function outward<S extends ServiceHealth>({ error: _error, ...rest }: S): Omit<S, 'error'> {
  return rest
}
