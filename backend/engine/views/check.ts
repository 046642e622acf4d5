import type { Db } from '../db/index.ts'
import type { Log } from '../log.ts'
import type { ViewCatalog } from './catalog.ts'
import { noteFailure } from './failure.ts'
import { inspectViews, problemsOf, type ViewProblem } from './inspect.ts'
import { repairViews } from './install.ts'

/** Everything that hinders refreshes, or makes views show something else than they should. */
export async function checkViews(db: Db, catalog: ViewCatalog): Promise<ViewProblem[]> {
  const facts = await inspectViews(db, catalog)
  return catalog.all.flatMap((view) => problemsOf(view, facts.get(view.name)))
}

/** Repairs what can be repaired. What cannot counts as a failure of the view, so that those who watch the failures see it. */
export async function checkAtStart({
  db,
  catalog,
  log,
}: {
  db: Db
  catalog: ViewCatalog
  log: Log
}): Promise<void> {
  const before = await checkViews(db, catalog)
  if (before.length === 0) return
  for (const found of before) log.warn('A view is not as it should be.', found)
  for (const done of await repairViews({ db, catalog, log }))
    log.info('A view was repaired.', { done })
  const failing = await failingViews(db)
  for (const { view, message } of await checkViews(db, catalog))
    if (!failing.has(view)) await noteFailure(db, { view, error: message, triggeredBy: 'check' })
}

// Of many instances that start at once, one says so.
async function failingViews(db: Db): Promise<ReadonlySet<string>> {
  const rows = await db.query<{ name: string }>(
    'select view_name as name from view_state where consecutive_failures > 0',
  )
  return new Set(rows.map(({ name }) => name))
}
