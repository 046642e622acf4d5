// Brings the views in the database in line with those of the domains. Of several instances that start at once, one does it.
import { setTimeout as sleep } from 'node:timers/promises'
import { HOUR } from '../clock.ts'
import type { Db, Queryable } from '../db/index.ts'
import { messageOf, PrewarmError } from '../errors.ts'
import type { Log } from '../log.ts'
import { buildView } from './build.ts'
import type { InstalledView, ViewCatalog } from './catalog.ts'
import { dropLeftovers, dropRemoved } from './clear-up.ts'
import { createIndex, indexesOf } from './definition.ts'
import { noteFailure } from './failure.ts'
import { inspectViews, type ViewFacts } from './inspect.ts'
import { forget, introduce, keepSettings } from './view-row.ts'

// Waiters poll: whoever waits inside a statement holds a snapshot, and the holder may have to wait for that.
const LOCK = "hashtext('prewarm views')"
const POLL_MS = 100

export type InstallOptions = { db: Db; catalog: ViewCatalog; log: Log }

/**
 * Makes, rebuilds and drops views, and returns what was done as `made DOMAIN.VIEW`. A view that cannot be made throws; one that
 * was there before stays as it is, and has failed.
 */
export function installViews(options: InstallOptions): Promise<string[]> {
  return withLock(options.db, async (db, lock) => {
    const { catalog, log } = options
    for (const view of catalog.all) await keepSettings(db, view)
    const dropped = await dropRemoved(db, catalog, log)
    const parts = { db, catalog, log, lock }
    const made = await makeAll(parts, ({ hash }, view) => hash !== view.hash)
    await dropLeftovers(db, log)
    return [...dropped, ...made]
  })
}

/**
 * Makes again what was lost: a view that was dropped, an index. The text of views is left alone: while a new version is
 * rolled out, instances of the old one must not put theirs back. So is what another instance could not repair a moment ago.
 */
export function repairViews(options: InstallOptions): Promise<string[]> {
  return withLock(options.db, async (db, lock) => {
    const parts = { db, catalog: options.catalog, log: options.log, lock }
    const made = await makeAll(
      parts,
      ({ hash }) => hash === '',
      ({ waits }) => waits,
    )
    if (made.length > 0) await dropLeftovers(db, options.log)
    return made
  })
}

async function withLock<T>(db: Db, work: (db: Db, lock: Queryable) => Promise<T>): Promise<T> {
  const own = db.another({ applicationName: 'prewarm views', max: 3, statementTimeoutMs: HOUR })
  try {
    return await own.transaction(async (lock) => {
      await untilLocked(lock, `select pg_try_advisory_xact_lock(${LOCK}) as won`)
      return work(own, lock)
    })
  } finally {
    await own.end()
  }
}

async function untilLocked(lock: Queryable, sql: string, values: string[] = []): Promise<void> {
  for (;;) {
    const [answer] = await lock.query<{ won: boolean }>(sql, values)
    if (answer?.won) return
    await sleep(POLL_MS)
  }
}

type Parts = InstallOptions & { lock: Queryable }

async function makeAll(
  parts: Parts,
  isOutdated: (facts: ViewFacts, view: InstalledView) => boolean,
  isLeft: (facts: ViewFacts) => boolean = () => false,
): Promise<string[]> {
  const done: string[] = []
  for (const view of parts.catalog.all) {
    // Looked at one by one, because making one outdates those above it.
    const facts = (await inspectViews(parts.db, { ...parts.catalog, all: [view] })).get(view.name)
    if (!facts || isLeft(facts)) continue
    if (facts.kind === null || facts.hash === null || isOutdated(facts, view))
      done.push(...(await make(parts, view, facts)))
    else if (facts.kind === 'm' && !facts.has_key) done.push(...(await index(parts, view, facts)))
  }
  return done
}

async function make(parts: Parts, view: InstalledView, facts: ViewFacts): Promise<string[]> {
  try {
    await untilLocked(parts.lock, 'select try_view_lock($1) as won', [view.name])
    // Before it is made, because changes of views that are not known are not noted.
    if (facts.hash === null) await introduce(parts.db, view)
    await buildView(parts.db, view, readersOf(parts.catalog, view))
    return [`${facts.kind === null ? 'made' : 'rebuilt'} ${view.qualified}`]
  } catch (error) {
    const message = `The view ${view.name} cannot be made: ${messageOf(error)}.`
    if (facts.hash !== null) return fail(parts, view, message)
    await forget(parts.db, view)
    throw new PrewarmError('bad_configuration', message, { cause: error })
  }
}

/** The views that read it, directly or through others. */
function readersOf(catalog: ViewCatalog, { domain, name }: InstalledView): string[] {
  const readers = catalog.all.filter(
    (view) => view.domain === domain && view.readsViews.includes(name),
  )
  return readers.flatMap((reader) => [reader.name, ...readersOf(catalog, reader)])
}

async function index(parts: Parts, view: InstalledView, facts: ViewFacts): Promise<string[]> {
  const key = indexesOf(view).find(({ isUnique }) => isUnique)
  if (!key) return []
  try {
    await parts.db.transaction(async (tx) => {
      await tx.query("set local lock_timeout = '10s'")
      await tx.query(createIndex(view, key))
    })
    return [`indexed ${view.qualified}`]
  } catch (error) {
    // Somebody has refreshed it since, which then was possible with two rows of one key.
    if (isUniqueViolation(error)) return make(parts, view, facts)
    return fail(parts, view, `Its unique index cannot be made: ${messageOf(error)}.`)
  }
}

const UNIQUE_VIOLATION = '23505'

function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === UNIQUE_VIOLATION
}

async function fail({ db, log }: Parts, view: InstalledView, error: string): Promise<string[]> {
  log.error('A view is not as it should be.', { view: view.name, error })
  await noteFailure(db, { view: view.name, error, triggeredBy: 'install' })
  return []
}
