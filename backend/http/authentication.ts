import type { RequestHandler, Response } from 'express'
import { addressOf, takeOrRefuse, type RateLimit } from './rate-limit.ts'
import type { Authenticate, Caller } from './token.ts'

type Locals = { caller?: Caller }

/**
 * Puts the caller into `response.locals`, or answers 401. Requests are counted for the caller; those without a
 * good token for their address, so that tokens cannot be guessed at leisure.
 */
export function authentication(authenticate: Authenticate, limit: RateLimit): RequestHandler {
  return async (request, response: Response<unknown, Locals>, next) => {
    try {
      response.locals.caller = await authenticate(request.headers.authorization)
    } catch (error) {
      await takeOrRefuse(limit, addressOf(request), response)
      throw error
    }
    await takeOrRefuse(limit, callerId(response.locals.caller), response)
    next()
  }
}

export function callerOf(response: Response): Caller {
  const { caller }: Locals = response.locals
  if (!caller) throw new Error('This route was mounted before authentication.')
  return caller
}

/** Who it was, for histories. */
export function callerName(caller: Caller): string {
  return caller.kind === 'user' ? caller.principal.subject : caller.kind
}

/** Whom a request is counted for. */
export function callerId(caller: Caller): string {
  if (caller.kind === 'scheduler') return caller.kind
  return `${caller.principal.tenantId} ${caller.principal.subject}`
}
