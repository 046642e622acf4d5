// Takes changes off the queue and notes what follows from them, in one transaction: a drainer that dies before its end has
// taken nothing, and what it noted is done by whoever comes next. All instances may drain at once.
import type { Db, Queryable } from '../db/index.ts'
import { noteDirtyEntries } from './note-entries.ts'
import { noteBehindViews, requestViews } from './note-views.ts'

/** Changes of one source, of one tenant or (null) of all. */
export type Change = { source: string; tenant: string | null; changedAt: Date }

export const BATCH_CHANGES = 5000

/** Returns how many changes it took: all that are committed and that nobody else is taking, up to a limit. */
export function drainBatch(db: Db): Promise<number> {
  return db.transaction(async (tx) => {
    const taken = await take(tx)
    if (taken.length === 0) return 0
    const changes = JSON.stringify(taken)
    await requestViews(tx, changes)
    await noteBehindViews(tx, changes)
    await noteDirtyEntries(tx, changes)
    return taken.reduce((sum, { count }) => sum + count, 0)
  })
}

// The array makes it one look at the queue: a subquery with a limit might be asked again, and lock other rows then. A row stays
// where it is (nobody updates it, and it is locked), and in which order they are taken does not matter.
function take(tx: Queryable): Promise<(Change & { count: number })[]> {
  return tx.query(
    `with taken as (
       delete from refresh_queue
       where ctid = any (array(select ctid from refresh_queue limit $1 for update skip locked))
       returning source, tenant_id, changed_at
     )
     select source, tenant_id::text as tenant, min(changed_at) as "changedAt", count(*)::integer as count
     from taken group by 1, 2`,
    [BATCH_CHANGES],
  )
}
