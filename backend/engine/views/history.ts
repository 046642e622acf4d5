import type { Queryable } from '../db/index.ts'

/** A row of the view `view_freshness`. */
export type ViewFreshness = {
  view_name: string
  domain: string
  /** When the refresh began whose data it shows. */
  last_refreshed: Date
  age_seconds: number
  target_lag_seconds: number
  is_stale: boolean
  is_pending: boolean
  is_refreshing: boolean
  pending_since: Date | null
  reasons: string[]
  not_before: Date | null
  /** How many tenants' data is behind the sources. */
  changed_tenants: number
  last_duration_ms: number
  row_count: number
  consecutive_failures: number
  last_error: string | null
  last_failure_at: Date | null
}

export type ViewRun = {
  id: string
  status: 'success' | 'failed' | 'timeout'
  started_at: Date
  duration_ms: number
  row_count: number | null
  error_message: string | null
  triggered_by: string
}

export function readFreshness(db: Queryable): Promise<ViewFreshness[]> {
  return db.query<ViewFreshness>(
    `select view_name, domain, last_refreshed, age_seconds, target_lag_seconds, is_stale, is_pending, is_refreshing,
            pending_since, reasons, not_before, changed_tenants, last_duration_ms, row_count::float8 as row_count,
            consecutive_failures, last_error, last_failure_at
     from view_freshness order by view_name`,
  )
}

/** The newest refreshes first; `page` counts from 1. */
export function readHistory(
  db: Queryable,
  view: string,
  { page, pageSize }: { page: number; pageSize: number },
): Promise<ViewRun[]> {
  return db.query<ViewRun>(
    `select id, status, started_at, duration_ms, (metadata ->> 'row_count')::float8 as row_count, error_message, triggered_by
     from job_runs where view_name = $1
     order by started_at desc, id limit $2 offset $3`,
    [view, pageSize, (page - 1) * pageSize],
  )
}
