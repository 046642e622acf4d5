// Views that are not needed any more. Nothing that hangs on them is dropped with them.
import type { Db } from '../db/index.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { ViewCatalog } from './catalog.ts'
import { BUILDING, idOf, REPLACED } from './definition.ts'

/** Drops the views that a domain had and has no more. Those of other domains may be another program's, on the same database. */
export async function dropRemoved(
  db: Db,
  { all, domains }: ViewCatalog,
  log: Log,
): Promise<string[]> {
  const removed = await db.query<{ domain: string; name: string }>(
    'select domain, view_name as name from view_state where view_name <> all ($1) and domain = any ($2)',
    [all.map(({ name }) => name), domains],
  )
  const dropped: string[] = []
  // Those above go first; which they are is not known any more.
  for (let found = true; found;) {
    found = false
    for (const view of removed.filter(({ name }) => !dropped.includes(name))) {
      const error = await drop(db, idOf(view))
      if (error !== undefined) {
        log.warn('A view that its domain has no more could not be dropped.', {
          view: view.name,
          error,
        })
        continue
      }
      await db.query('delete from view_state where view_name = $1', [view.name])
      dropped.push(view.name)
      found = true
    }
  }
  return dropped.map((name) => `dropped ${name}`)
}

/** Drops what rebuilding left behind; the youngest first, because it may hang on an older one. */
export async function dropLeftovers(db: Db, log: Log): Promise<void> {
  const leftovers = await db.query<{ domain: string; name: string }>(
    `select s.domain, c.relname as name
     from view_state s
     join pg_class c on c.relnamespace = to_regnamespace(quote_ident(s.domain)) and c.relkind = 'm'
       and (c.relname = s.view_name || $1 or starts_with(c.relname, s.view_name || $2))
     order by c.oid desc`,
    [BUILDING, REPLACED],
  )
  for (const leftover of leftovers) {
    const error = await drop(db, idOf(leftover))
    if (error) log.warn('What a rebuilt view left behind stays a while.', { ...leftover, error })
  }
}

/** Returns what went wrong. */
async function drop(db: Db, id: string): Promise<string | undefined> {
  try {
    await db.transaction(async (tx) => {
      await tx.query("set local lock_timeout = '2s'")
      await tx.query(`drop materialized view if exists ${id}`)
    })
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}
