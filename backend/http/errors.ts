import type { ErrorRequestHandler, Response } from 'express'
import * as z from 'zod'
import { badRequest, PrewarmError } from '../engine/errors.ts'
import type { Log } from '../engine/log.ts'

/** The last handler: the log gets the cause, the caller a sentence and the request's id. */
export function errorHandler(log: Log): ErrorRequestHandler {
  // Express knows an error handler by its four parameters.
  return (thrown: unknown, request, response, _next) => {
    const error = publicError(thrown)
    if (error.status >= 500) {
      log.error(`${request.method} ${request.path} failed: ${error.message}`, {
        request_id: requestIdOf(response),
        error: thrown,
      })
    }
    if (response.headersSent) response.destroy()
    else sendError(response, error)
  }
}

export function sendError(response: Response, error: PrewarmError): void {
  if (error.status === 401) response.set('www-authenticate', 'Bearer')
  response.status(error.status).json({
    status: 'error',
    message: error.message,
    code: error.code,
    ...(error.field ? { field: error.field } : {}),
    request_id: requestIdOf(response),
  })
}

function requestIdOf(response: Response): string {
  return String(response.getHeader('x-request-id'))
}

function publicError(thrown: unknown): PrewarmError {
  if (thrown instanceof PrewarmError) return thrown
  if (thrown instanceof URIError) return badRequest('path', 'The path is not a valid URL.')
  const body = BodyError.safeParse(thrown)
  if (body.success) return bodyError(body.data.type)
  return new PrewarmError('internal', 'Something went wrong.', { cause: thrown })
}

/** How Express says that it could not take the body. */
const BodyError = z.object({ status: z.int().min(400).max(499), type: z.string().optional() })

function bodyError(type: string | undefined): PrewarmError {
  if (type === 'entity.too.large') {
    return new PrewarmError('payload_too_large', 'The body is too large.', { field: 'body' })
  }
  if (type === 'entity.parse.failed') return badRequest('body', 'The body is not valid JSON.')
  return badRequest('body', 'The body cannot be read.')
}
