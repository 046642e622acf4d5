// What the tables say of views and jobs.
import type { Queryable } from '../db/index.ts'

/** After more consecutive failures than this something is wrong. */
export const TOLERATED_FAILURES = 3

export type ViewEvidence = {
  name: string
  /** Consecutive. */
  failures: number
  lastError: string | null
  lastSuccessAt: Date
  lastFailureAt: Date | null
  targetLagSeconds: number
}

export type JobEvidence = {
  name: string
  /** Among the newest runs, as many as it takes to decide; 0 if any of them was none. */
  failures: number
  lastError: string | null
  lastFailureAt: Date
}

export type Evidence = { views: readonly ViewEvidence[]; jobs: readonly JobEvidence[] }

/** Of views only those of these domains: whoever has another domain watches its views. */
export async function readEvidence(
  db: Queryable,
  { domains }: { domains: readonly string[] },
): Promise<Evidence> {
  const [views, jobs] = await Promise.all([readViews(db, domains), readJobs(db)])
  return { views, jobs }
}

function readViews(db: Queryable, domains: readonly string[]): Promise<ViewEvidence[]> {
  return db.query<ViewEvidence>(
    `select view_name as name, consecutive_failures as failures, last_error as "lastError",
            last_success_at as "lastSuccessAt", last_failure_at as "lastFailureAt",
            target_lag_seconds as "targetLagSeconds"
     from view_state where domain = any ($1)`,
    [domains],
  )
}

// A run that is partial did most of its work, one that was skipped says nothing.
function readJobs(db: Queryable): Promise<JobEvidence[]> {
  return db.query<JobEvidence>(
    `select job.name, newest.failures, newest.errors[1] as "lastError",
            newest.last_failure_at as "lastFailureAt"
     from cron_job job
     cross join lateral (
       select count(*)::integer as failures, max(finished_at) as last_failure_at,
              array_agg(error_message order by started_at desc) as errors
       from (
         select status, started_at, finished_at, error_message from job_runs
         where cron_job_id = job.id and status in ('success', 'partial', 'failed', 'timeout')
         order by started_at desc limit $1
       ) run
       having bool_and(status in ('failed', 'timeout'))
     ) newest`,
    [TOLERATED_FAILURES + 1],
  )
}
