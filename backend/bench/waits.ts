import { setTimeout as sleep } from 'node:timers/promises'
import type { Db } from '../engine/db/index.ts'

/** How often writers were seen waiting, by what they waited for, and how often they were looked at. */
export type Waits = {
  looks: number
  locks: ReadonlyMap<string, number>
  other: ReadonlyMap<string, number>
}

const LOOK_EVERY_MS = 15

/** Looks at the writers while `work` goes on. */
export async function sampleWaits<T>(db: Db, work: Promise<T>): Promise<[T, Waits]> {
  const locks = new Map<string, number>()
  const other = new Map<string, number>()
  let looks = 0
  const over = new AbortController()
  const done = work.finally(() => over.abort())
  while (!over.signal.aborted) {
    looks += 1
    await look(db, locks, other)
    await sleep(LOOK_EVERY_MS)
  }
  return [await done, { looks, locks, other }]
}

// A lock that is waited for shortly may be seen in one of the two places only, so both are asked, each under its own name.
async function look(db: Db, locks: Map<string, number>, other: Map<string, number>): Promise<void> {
  const rows = await db.query<{ type: string; event: string; count: number }>(
    `with writer as (
       select pid, wait_event_type, wait_event from pg_stat_activity where application_name = 'pgbench'
     )
     select wait_event_type as type, wait_event as event, count(*)::integer as count
     from writer where wait_event_type in ('Lock', 'LWLock', 'IO', 'BufferPin', 'Buffer')
     group by 1, 2
     union all
     select 'Lock', concat_ws(' of ', 'pg_locks:' || locktype, relation::regclass), count(*)::integer
     from pg_locks join writer using (pid) where not granted
     group by 1, 2`,
  )
  for (const { type, event, count } of rows) {
    const seen = type === 'Lock' ? locks : other
    const name = type === 'Lock' ? event : `${type}:${event}`
    seen.set(name, (seen.get(name) ?? 0) + count)
  }
}
