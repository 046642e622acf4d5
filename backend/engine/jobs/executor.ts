/** What an executor is told about the run it is asked to make. */
export type RunContext = {
  /** The row of `job_runs`. */
  runId: string
  /** The nominal time that the run was due; null when run by hand. */
  slot: Date | null
  /** Only this tenant; null means all. */
  tenantId: string | null
  metadata: Readonly<Record<string, unknown>>
  /** Aborted when the run exceeds its timeout, loses its lease, or the process stops. */
  signal: AbortSignal
}

export type RunOutcome = {
  status: 'success' | 'partial' | 'failed'
  message: string
  processed: number
  succeeded: number
  failed: number
  /** JSON for the run history, such as the names of the tenants that failed. */
  details: Readonly<Record<string, unknown>>
}

/** Does the work behind a `function_name`. May throw: that is a failed run with the error's message. */
export type Executor = (context: RunContext) => Promise<RunOutcome>
