// The row of `view_state`, as far as making a view writes it.
import type { Queryable } from '../db/index.ts'
import type { InstalledView } from './catalog.ts'

/** What the new rows are known to hold. */
export type Built = {
  began_at: Date
  requested: string
  tenants: string[]
  changes: string[]
  rows: number
  durationMs: number
}

/** A view that is going to be made for the first time. */
export async function introduce(db: Queryable, view: InstalledView): Promise<void> {
  await db.query(
    `insert into view_state (view_name, domain, definition_hash, target_lag_seconds, key_columns, follows_days,
                             reads_untracked, last_success_at, last_duration_ms, row_count)
     values ($1, $2, '', $3, $4, $5, $6, now(), 0, 0)`,
    [view.name, view.domain, ...settingsOf(view)],
  )
}

export async function forget(db: Queryable, { name }: InstalledView): Promise<void> {
  await db.query('delete from view_state where view_name = $1', [name])
}

/** Takes over what the definition says of views whose text is as installed. */
export async function keepSettings(db: Queryable, view: InstalledView): Promise<void> {
  await db.query(
    `update view_state
     set domain = $2, target_lag_seconds = $3, key_columns = $4, follows_days = $5, reads_untracked = $6
     where view_name = $1
       and (domain, target_lag_seconds, key_columns, follows_days, reads_untracked) is distinct from ($2, $3, $4, $5, $6)`,
    [view.name, view.domain, ...settingsOf(view)],
  )
}

function settingsOf(view: InstalledView): unknown[] {
  const followsDays = view.refresh.some((policy) => 'atLocalMidnight' in policy)
  return [view.targetLagSeconds, view.uniqueBy, followsDays, view.readsUntracked]
}

/** What was seen before the view was made is in it. */
export async function remember(tx: Queryable, view: InstalledView, built: Built): Promise<void> {
  await tx.query(
    `update view_state
     set definition_hash = $2, last_success_at = $3, last_duration_ms = $4, row_count = $5,
         consecutive_failures = 0, last_error = null, satisfied = greatest(satisfied, $6)
     where view_name = $1`,
    [view.name, view.hash, built.began_at, built.durationMs, built.rows, built.requested],
  )
  await tx.query(
    `update view_state set pending_since = null, reasons = '{}', not_before = null
     where view_name = $1 and requested = satisfied`,
    [view.name],
  )
  await tx.query(
    `delete from view_change c using unnest($2::uuid[], $3::bigint[]) seen (tenant_id, change)
     where c.view_name = $1 and (c.tenant_id, c.change) = (seen.tenant_id, seen.change)`,
    [view.name, built.tenants, built.changes],
  )
  // Nothing is known of what its readers would see otherwise now, so every tenant counts as changed.
  await tx.query("insert into refresh_queue (source, operation) values ($1, 'REFRESH')", [
    view.qualified,
  ])
}

/** These must be made anew, too. */
export async function outdate(tx: Queryable, views: readonly string[]): Promise<void> {
  await tx.query("update view_state set definition_hash = '' where view_name = any ($1)", [views])
}
