import type { Store } from '../cache/index.ts'
import type { Clock } from '../clock.ts'
import type { Queryable } from '../db/index.ts'
import { columnsOf, type DirtyEntry } from './dirty-entry.ts'

export type MoveParts = {
  db: Queryable
  store: Pick<Store, 'move'>
  clock: Clock
}

const BATCH_ENTRIES = 5000
/** How long the others leave what one that died was telling the cache. */
const MOVING_MS = 1000

/** Tells the cache of everything that is dirty. Rejects when the cache cannot be told, which is then tried again. */
export async function moveVersions(parts: MoveParts): Promise<number> {
  let moved = 0
  for (;;) {
    const batch = await claimUnmoved(parts)
    if (batch.length === 0) return moved
    await tell(parts, batch)
    moved += batch.length
  }
}

// By one instance at a time: a version that is moved late, by a second one, would make an entry stale that is warm again.
function claimUnmoved({ db, clock }: MoveParts): Promise<DirtyEntry[]> {
  return db.query<DirtyEntry>(
    `with chosen as (
       select report, tenant from dirty_entry
       where not is_moved and (moving_until is null or moving_until <= $1)
       order by changed_at
       limit $3
       for update skip locked
     )
     update dirty_entry set moving_until = $2
     from chosen
     where dirty_entry.report = chosen.report and dirty_entry.tenant = chosen.tenant
     returning dirty_entry.report, dirty_entry.tenant, change`,
    [clock(), new Date(clock().getTime() + MOVING_MS), BATCH_ENTRIES],
  )
}

async function tell(parts: MoveParts, batch: readonly DirtyEntry[]): Promise<void> {
  try {
    await parts.store.move(batch)
  } catch (error) {
    await mark(parts, batch, false)
    throw error
  }
  await mark(parts, batch, true)
}

/** Only what has not changed again since it was claimed. */
async function mark(
  { db }: MoveParts,
  batch: readonly DirtyEntry[],
  isMoved: boolean,
): Promise<void> {
  await db.query(
    `update dirty_entry set is_moved = $4, moving_until = null
     from unnest($1::text[], $2::text[], $3::bigint[]) as told (report, tenant, change)
     where dirty_entry.report = told.report
       and dirty_entry.tenant = told.tenant
       and dirty_entry.change = told.change`,
    [...columnsOf(batch), isMoved],
  )
}
