// One refresh. The database writes down how it went, in the transaction of the refresh; only when the connection is lost
// there is nobody left to do so but us.
import { SECOND } from '../clock.ts'
import type { Db, Queryable } from '../db/index.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { InstalledView, ViewCatalog } from './catalog.ts'
import { noteFailure } from './failure.ts'
import { repairViews } from './install.ts'
import { inspectViews } from './inspect.ts'
import { readStates } from './state.ts'

export type RefreshResult = {
  view: string
  /** `skipped`: nothing was done, and what was asked for stays asked for, unless another session has done it. */
  status: 'refreshed' | 'skipped' | 'failed'
  /** When the refresh began whose data it shows; null for a view that was never made. */
  refreshedAt: Date | null
  error: string | null
}

export type RefreshParts = {
  db: Db
  /** Whose connections may be busy for as long as a refresh takes. */
  patientDb: Db
  catalog: ViewCatalog
  log: Log
  lockTimeoutMs: number
}

export type RefreshOptions = {
  /** For the history: who or what asked for it. */
  triggeredBy: string
  /** Whether to do nothing when nothing has asked for it, or somebody has been quicker. */
  onlyRequested: boolean
  /** The number of the request, when there is nothing to do once it is satisfied. */
  request?: bigint
  /** Ends the refresh as if it had never begun. */
  signal: AbortSignal
}

/** Never waits for another refresh of the same view. */
export async function refreshOnce(
  parts: RefreshParts,
  view: InstalledView,
  options: RefreshOptions,
): Promise<RefreshResult> {
  const started = performance.now()
  try {
    if (!(await isThere(parts, view))) return await lost(parts, view)
    return await parts.patientDb.transaction((tx) => run(parts, tx, view, options))
  } catch (error) {
    if (options.signal.aborted) return undone(view, 'skipped', 'It was stopped.')
    const durationMs = performance.now() - started
    const { triggeredBy } = options
    const failure = { view: view.name, error: messageOf(error), triggeredBy, durationMs }
    await noteFailure(parts.db, failure)
    return undone(view, 'failed', failure.error)
  }
}

export function undone(
  { name }: Pick<InstalledView, 'name'>,
  status: 'skipped' | 'failed',
  error: string,
): RefreshResult {
  return { view: name, status, refreshedAt: null, error }
}

/** The failure to make it again was written down by whoever tried. */
async function lost({ db }: RefreshParts, view: InstalledView): Promise<RefreshResult> {
  const state = (await readStates(db, [view.name])).get(view.name)
  return undone(view, 'failed', state?.lastError ?? 'It was never made: run "prewarm migrate".')
}

/** Makes a view again that was dropped, and an index. */
async function isThere({ db, catalog, log }: RefreshParts, view: InstalledView): Promise<boolean> {
  const isWell = async (): Promise<boolean> => {
    const facts = (await inspectViews(db, { ...catalog, all: [view] })).get(view.name)
    return !!facts && !!facts.hash && facts.kind !== null && (facts.has_key || facts.kind !== 'm')
  }
  if (await isWell()) return true
  const done = await repairViews({ db, catalog, log })
  if (done.length > 0) log.warn('Views were not as they should be, and were repaired.', { done })
  return isWell()
}

async function run(
  { db, lockTimeoutMs }: RefreshParts,
  tx: Queryable,
  view: InstalledView,
  { triggeredBy, onlyRequested, request, signal }: RefreshOptions,
): Promise<RefreshResult> {
  const pid = await prepare(tx, view.timeoutSeconds * SECOND, lockTimeoutMs)
  // Not just cancelled: that would count as a failure of the view.
  const end = (): void => {
    db.query('select pg_terminate_backend($1)', [pid]).catch(() => undefined)
  }
  signal.throwIfAborted()
  signal.addEventListener('abort', end)
  try {
    if (request !== undefined && (await isSatisfied(tx, view, request)))
      return undone(view, 'skipped', 'Another session has refreshed it.')
    const [result] = await tx.query<RefreshResult>(
      `select view_name as view, status, refreshed_at as "refreshedAt", error
       from refresh_views(array[$1::text], $2, $3)`,
      [view.name, triggeredBy, onlyRequested],
    )
    if (!result) throw new Error('PostgreSQL returned no row.')
    return result
  } finally {
    signal.removeEventListener('abort', end)
  }
}

/** Asked under the lock of the view, which the transaction keeps: whoever held it before has said by then what he did. */
async function isSatisfied(
  tx: Queryable,
  { name }: InstalledView,
  number: bigint,
): Promise<boolean> {
  await tx.query('select try_view_lock($1)', [name])
  const [state] = await tx.query<{ satisfied: string }>(
    'select satisfied from view_state where view_name = $1',
    [name],
  )
  return !!state && BigInt(state.satisfied) >= number
}

// Else the refresh of a process that died would go on to its end, and hold its locks until then. Windows cannot do it.
const CHECK_MS = SECOND

async function prepare(
  tx: Queryable,
  statementTimeoutMs: number,
  lockTimeoutMs: number,
): Promise<number> {
  const [row] = await tx.query<{ pid: number }>(
    `select set_config('statement_timeout', $1, true), set_config('lock_timeout', $2, true), pg_backend_pid() as pid,
            case when version() !~* 'visual|mingw' then set_config('client_connection_check_interval', $3, true) end`,
    [String(statementTimeoutMs), String(lockTimeoutMs), String(CHECK_MS)],
  )
  return row?.pid ?? 0
}
