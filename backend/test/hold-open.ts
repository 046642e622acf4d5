import type { Db, Queryable } from '../engine/db/index.ts'
import { gate } from './gate.ts'

/** Begins a transaction that stays open after the work. What it resolves with commits it. */
export async function holdOpen(
  db: Db,
  work: (tx: Queryable) => Promise<unknown>,
): Promise<() => Promise<void>> {
  const closed = gate()
  const held = db.transaction(async (tx) => {
    await work(tx)
    await closed.pass()
  })
  await Promise.race([closed.arrived, held])
  return async () => {
    closed.open()
    await held
  }
}
