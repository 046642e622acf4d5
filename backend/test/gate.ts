import { EventEmitter, once } from 'node:events'
import type { Db } from '../engine/db/index.ts'

/** A place where work waits for the test. `arrived` resolves when the first has come; `open` lets all pass. */
export type Gate = {
  arrived: Promise<unknown>
  arrivals(): number
  pass(): Promise<unknown>
  open(): void
}

export function gate(): Gate {
  const events = new EventEmitter()
  const arrived = once(events, 'arrived')
  const opened = once(events, 'open')
  let arrivals = 0
  return {
    arrived,
    arrivals: () => arrivals,
    pass: () => {
      arrivals += 1
      events.emit('arrived')
      return opened
    },
    open: () => {
      events.emit('open')
    },
  }
}

/** Holds an advisory lock until it is opened: SQL that takes the lock in shared mode waits there. */
export async function closeGateIn(db: Db, lock: number): Promise<{ open: () => Promise<void> }> {
  const closed = gate()
  const held = db.transaction(async (tx) => {
    await tx.query('select pg_advisory_xact_lock($1)', [lock])
    await closed.pass()
  })
  await Promise.race([closed.arrived, held])
  return {
    open: async () => {
      closed.open()
      await held
    },
  }
}
