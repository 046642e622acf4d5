// Every error that a caller can meet. Callers switch on `code`, never on the text. `message` is the
// sentence the public may read; the cause and the context go to the log only.
export type ErrorCode =
  | 'bad_request'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'payload_too_large'
  | 'too_many_requests'
  | 'report_failed'
  | 'unavailable'
  | 'bad_configuration'
  | 'internal'

const STATUS: Record<ErrorCode, number> = {
  bad_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  payload_too_large: 413,
  too_many_requests: 429,
  report_failed: 503,
  unavailable: 503,
  bad_configuration: 500,
  internal: 500,
}

export class PrewarmError extends Error {
  readonly code: ErrorCode
  readonly status: number
  /** The query parameter, body field, header or setting that is wrong. */
  readonly field: string | undefined

  constructor(
    code: ErrorCode,
    message: string,
    { field, cause }: { field?: string; cause?: unknown } = {},
  ) {
    super(message, { cause })
    this.name = 'PrewarmError'
    this.code = code
    this.status = STATUS[code]
    this.field = field
  }
}

export function badRequest(field: string, message: string): PrewarmError {
  return new PrewarmError('bad_request', message, { field })
}

/** The text of anything that was thrown, for run histories and log lines. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return messageOf(error.errors[0])
  return error instanceof Error ? error.message : String(error)
}
