// Puts what was built in the view's place, and writes down what it holds.
import { setTimeout as sleep } from 'node:timers/promises'
import { isLockTimeout, quoteIdentifier, type Db, type Queryable } from '../db/index.ts'
import { PrewarmError } from '../errors.ts'
import type { InstalledView } from './catalog.ts'
import { BUILDING, idOf, indexesOf, REPLACED } from './definition.ts'
import { outdate, remember, type Built } from './view-row.ts'

// The swap waits for those who read the old view now, and whoever comes after it waits for the swap: so it never waits for long.
const LOCK_TIMEOUT = '200ms'
const ATTEMPTS = 150
const PAUSE_MS = 200

/** The views `above` it hang on the old one until they are made anew, too. */
export async function swap(
  db: Db,
  view: InstalledView,
  built: Built,
  above: readonly string[],
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await db.transaction(async (tx) => {
        await tx.query(`set local lock_timeout = '${LOCK_TIMEOUT}'`)
        await refuseOtherKind(tx, view)
        await rename(tx, view)
        await remember(tx, view, built)
        await outdate(tx, above)
      })
      return
    } catch (error) {
      if (!isLockTimeout(error) || attempt === ATTEMPTS) throw error
      await sleep(PAUSE_MS)
    }
  }
}

async function refuseOtherKind(tx: Queryable, view: InstalledView): Promise<void> {
  const rows = await tx.query(
    "select from pg_class where oid = to_regclass($1) and relkind <> 'm'",
    [idOf(view)],
  )
  if (rows.length === 0) return
  throw new PrewarmError(
    'bad_configuration',
    `${view.qualified} is there already, and it is no materialized view`,
  )
}

async function rename(tx: Queryable, view: InstalledView): Promise<void> {
  const old = `${REPLACED}${Date.now().toString(36)}`
  const move = (kind: string, name: string, from: string, to: string): Promise<unknown> =>
    tx.query(
      `alter ${kind} if exists ${idOf({ ...view, name }, from)} rename to ${quoteIdentifier(name + to)}`,
    )
  await move('materialized view', view.name, '', old)
  await move('materialized view', view.name, BUILDING, '')
  for (const { name } of indexesOf(view)) {
    await move('index', name, '', old)
    await move('index', name, BUILDING, '')
  }
}
