import type { Queryable } from '../db/index.ts'

/** What there is to do. */
export type Outlook = {
  hasChanges: boolean
  hasUnmoved: boolean
  /** Entries to warm again. */
  hasCold: boolean
  hasRested: boolean
}

/** The one question of an instance that has nothing to do. */
export async function lookAround(db: Queryable, now: Date): Promise<Outlook> {
  const rows = await db.query<Outlook>(
    `select
       exists (select from refresh_queue) as "hasChanges",
       exists (select from dirty_entry where not is_moved) as "hasUnmoved",
       exists (
         select from dirty_entry
         where is_moved and rewarms
           and (claimed_until is null or claimed_until <= $1) and (rests_until is null or rests_until <= $1)
       ) as "hasCold",
       exists (
         select from dirty_entry where is_moved and not rewarms and (rests_until is null or rests_until <= $1)
       ) as "hasRested"`,
    [now],
  )
  return rows[0] ?? { hasChanges: false, hasUnmoved: false, hasCold: false, hasRested: false }
}

export type Lag = {
  /** Committed writes that are not drained. */
  changes: number
  /** Entries that the cache still takes for fresh. */
  unmoved: number
  /** Entries to warm again, those included that are being warmed or have to rest first. */
  cold: number
  /** Age of the oldest change that readers may not see; 0 if there is none. */
  oldestMs: number
}

export async function measureLag(db: Queryable): Promise<Lag> {
  const rows = await db.query<Lag>(
    `with unseen as (
       select min(changed_at) as since from refresh_queue
       union all
       select min(changed_at) from dirty_entry where not is_moved
     )
     select
       (select count(*)::integer from refresh_queue) as changes,
       (select count(*)::integer from dirty_entry where not is_moved) as unmoved,
       (select count(*)::integer from dirty_entry where rewarms) as cold,
       coalesce((select extract(epoch from clock_timestamp() - min(since)) * 1000 from unseen), 0)::double precision as "oldestMs"`,
  )
  return rows[0] ?? { changes: 0, unmoved: 0, cold: 0, oldestMs: 0 }
}
