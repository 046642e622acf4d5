// From a committed write to a warm entry: changes are drained, versions move, entries are warmed again.
import type { Store } from '../cache/index.ts'
import type { Clock } from '../clock.ts'
import type { Db } from '../db/index.ts'
import type { Log } from '../log.ts'
import type { Reports } from '../reports/index.ts'
import type { Service } from '../service.ts'
import { BATCH_CHANGES, drainBatch } from './drain.ts'
import { lookAround, measureLag, type Lag } from './look.ts'
import { createLoop } from './loop.ts'
import { moveVersions } from './move.ts'
import { loggingOutages } from '../outages.ts'
import { forgetRested } from './rewarm.ts'
import { createRewarmer, type Rewarmer } from './rewarmer.ts'

export type ChangesOptions = {
  db: Db
  /** The one that readers use: whoever can read an entry can be told that it is behind. */
  store: Pick<Store, 'move'>
  reports: Pick<Reports, 'catalog' | 'warm'>
  clock: Clock
  log: Log
  /** How long an entry rests at least when it was warmed again; with 0 none rests. */
  rewarmMs: number
}

export type Drained = {
  /** Taken off the queue. */
  changes: number
  /** Entries of which the cache was told. */
  moved: number
}

export type Changes = Service & {
  start: () => void
  /** Takes all committed changes off the queue and makes the entries that they concern stale. */
  drain: () => Promise<Drained>
  /** Warms the entries that are due, and returns how many. */
  rewarm: () => Promise<number>
  lag: () => Promise<Lag>
}

const CHANNEL = 'prewarm_changes'
/** The longest that a change waits of which nobody was notified. */
const IDLE_MS = 300
// Triggers notify of the first of many changes only, so after one the others are looked for.
const BUSY_MS = 100
const BUSY_FOR_MS = 600

const FOLLOWING = {
  failed: 'Following changes failed; it is tried again and again.',
  works: 'Following changes works again.',
}

export function createChanges(options: ChangesOptions): Changes {
  const { db, log } = options
  const rewarmer = createRewarmer(options, log)
  const safely = loggingOutages(FOLLOWING, log)
  let busyUntil = 0
  const loop = createLoop(async () => {
    await safely(async () => {
      if (await follow(options, rewarmer)) busyUntil = performance.now() + BUSY_FOR_MS
    })
    return performance.now() < busyUntil ? BUSY_MS : IDLE_MS
  })
  let listener: Service | undefined
  return {
    start: () => {
      listener ??= db.listen(CHANNEL, loop.wake)
      loop.start()
    },
    drain: () => drain(options),
    rewarm: rewarmer.run,
    lag: () => measureLag(db),
    stop: async () => {
      await Promise.all([loop.stop(), listener?.stop(), rewarmer.stop()])
    },
  }
}

/** One round. Returns whether there were changes. */
async function follow(options: ChangesOptions, rewarmer: Rewarmer): Promise<boolean> {
  const { db, clock } = options
  const { hasChanges, hasUnmoved, hasCold, hasRested } = await lookAround(db, clock())
  if (hasChanges || hasUnmoved) await drain(options)
  if (hasChanges || hasUnmoved || hasCold) rewarmer.wake()
  if (hasRested) await forgetRested({ db, clock })
  return hasChanges
}

async function drain({ db, store, clock }: ChangesOptions): Promise<Drained> {
  const sum = { changes: 0, moved: 0 }
  for (;;) {
    const taken = await drainBatch(db)
    sum.changes += taken
    sum.moved += await moveVersions({ db, store, clock })
    if (taken < BATCH_CHANGES) return sum
  }
}
