import type { Queryable } from '../db/index.ts'

export type Failure = {
  view: string
  error: string
  triggeredBy: string
  /** How long it took to fail. */
  durationMs?: number
}

/** Counts a failure that the database could not write down itself: the connection was lost, or nothing was refreshed at all. */
export async function noteFailure(
  db: Queryable,
  { view, error, triggeredBy, durationMs = 0 }: Failure,
): Promise<void> {
  await db.query(
    `select note_view_failure(
       jsonb_populate_record(
         null::view_attempt,
         jsonb_build_object(
           'view_name', $1::text, 'status', 'failed', 'error', $2::text, 'is_timeout', false,
           'run_at', clock_timestamp() - make_interval(secs => $4::float8 / 1000), 'ended_at', clock_timestamp()
         )
       ), $3)`,
    [view, error, triggeredBy, durationMs],
  )
}
