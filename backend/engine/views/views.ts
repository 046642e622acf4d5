import { SECOND } from '../clock.ts'
import type { Db } from '../db/index.ts'
import { badRequest } from '../errors.ts'
import { createWorkers, type Page, type Workers } from '../jobs/index.ts'
import type { Lanes } from '../lanes/index.ts'
import { nearest } from '../nearest.ts'
import type { Log } from '../log.ts'
import type { Service } from '../service.ts'
import { createTicker } from '../ticker.ts'
import type { InstalledView, ViewCatalog } from './catalog.ts'
import { checkViews, checkAtStart } from './check.ts'
import { inThisProcess, overLanes, type Dispatch } from './dispatch.ts'
import { readFreshness, readHistory, type ViewFreshness, type ViewRun } from './history.ts'
import type { ViewProblem } from './inspect.ts'
import { plan } from './planner.ts'
import { refreshNow } from './refresh-now.ts'
import { refreshOnce, undone, type RefreshParts, type RefreshResult } from './refresh.ts'
import { readStates, request } from './state.ts'

export type ViewsOptions = {
  catalog: ViewCatalog
  db: Db
  log: Log
  /** Over which, once this is started, views get to whichever process refreshes them. To be given before the lanes start. */
  lanes?: Pick<Lanes, 'handle' | 'add'>
  /** How many views are refreshed here at the same time; 2 unless given. */
  concurrency?: number
  /** How long a refresh waits for others that lock the view; 5000 unless given. */
  lockTimeoutMs?: number
  /** How long refreshes may go on after `stop`; 2000 unless given. */
  drainMs?: number
}

export type Views = Service & {
  catalog: ViewCatalog
  /** Checks the views, repairs what can be repaired, and begins to plan. Everything else works without it. */
  start(): Promise<void>
  /** One round of the planner by hand; `idle` waits for what it starts here. */
  tick(): Promise<void>
  idle(): Promise<void>
  check(): Promise<ViewProblem[]>
  /** Refreshes the views now, one after the other, those first that others read, and waits. */
  refresh(
    names: readonly string[],
    options: { triggeredBy: string; signal?: AbortSignal },
  ): Promise<RefreshResult[]>
  /** What the planner has dispatched: refreshes the view if it is still asked for. */
  refreshRequested(name: string, signal?: AbortSignal): Promise<RefreshResult>
  /** Has the view refreshed soon. */
  request(name: string, reason: string): Promise<void>
  /** Requests the views that are refreshed on this event, and returns their names. */
  event(name: string): Promise<string[]>
  freshness(): Promise<ViewFreshness[]>
  /** How long ago the last refresh of each view began. */
  agesMs(): Promise<Map<string, number>>
  history(name: string, page: Page): Promise<ViewRun[]>
}

const PLANNING = {
  failed: 'Views could not be planned; it is tried again.',
  works: 'Views are planned again.',
}

type Parts = RefreshParts & { workers: Workers }

export function createViews(options: ViewsOptions): Views {
  const { catalog, db, log } = options
  const parts = partsOf(options)
  const refreshOne = async (name: string, signal?: AbortSignal): Promise<RefreshResult> => {
    const view = catalog.find(name)
    // Another program's, over the same queue. Its planner dispatches it again.
    if (!view) return undone({ name }, 'skipped', 'It is no view of this program.')
    return refreshRequested(parts, view, signal)
  }
  const here = inThisProcess(refreshOne, log)
  const anywhere = options.lanes ? overLanes(options.lanes, refreshOne, here) : here
  let isStarted = false
  const tick = (): Promise<void> => planAndDispatch(parts, isStarted ? anywhere : here)
  const ticker = createTicker(tick, { everyMs: SECOND, log, lines: PLANNING })
  let ended: Promise<void> | undefined
  return {
    catalog,
    start: async () => {
      await checkAtStart(parts)
      isStarted = true
      if (catalog.all.length > 0) ticker.start()
    },
    tick,
    idle: () => parts.workers.idle(),
    check: () => checkViews(db, catalog),
    refresh: (names, how) => refreshAll(parts, names, how),
    refreshRequested: refreshOne,
    request: async (name, reason) => {
      await request(db, find(catalog, name).name, reason)
    },
    event: (name) => onEvent(parts, name),
    freshness: () => readFreshness(db),
    agesMs: () => agesMs(parts),
    history: (name, page) => readHistory(db, find(catalog, name).name, page),
    stop: async () => {
      await ticker.stop()
      await parts.workers.stop()
      await (ended ??= parts.patientDb.end())
    },
  }
}

const CONCURRENCY = 2
const LOCK_TIMEOUT_MS = 5 * SECOND
const DRAIN_MS = 2 * SECOND
const GRACE_MS = 10 * SECOND

function partsOf({ catalog, db, log, ...options }: ViewsOptions): Parts {
  const { concurrency = CONCURRENCY, lockTimeoutMs = LOCK_TIMEOUT_MS, drainMs = DRAIN_MS } = options
  const longest = Math.max(0, ...catalog.all.map((view) => view.timeoutSeconds * SECOND))
  const patientDb = db.another({
    applicationName: 'prewarm views',
    max: concurrency,
    statementTimeoutMs: longest + GRACE_MS,
  })
  const workers = createWorkers({ concurrency, drainMs })
  return { catalog, db, log, patientDb, lockTimeoutMs, workers }
}

async function planAndDispatch(parts: Parts, dispatch: Dispatch): Promise<void> {
  if (parts.workers.isStopping) return
  const ready = await plan(parts.db, parts.catalog)
  for (const { name } of ready) await dispatch(name)
}

function refreshRequested(
  parts: Parts,
  view: InstalledView,
  signal?: AbortSignal,
): Promise<RefreshResult> {
  return inTurn(parts, view, async (stop) => {
    const state = (await readStates(parts.db, [view.name])).get(view.name)
    return refreshOnce(parts, view, {
      triggeredBy: state?.reasons.join(', ') || 'planner',
      onlyRequested: true,
      signal: either(signal, stop),
    })
  })
}

async function refreshAll(
  parts: Parts,
  names: readonly string[],
  { triggeredBy, signal }: { triggeredBy: string; signal?: AbortSignal },
): Promise<RefreshResult[]> {
  const wanted = new Set(names.map((name) => find(parts.catalog, name).name))
  const results: RefreshResult[] = []
  for (const view of parts.catalog.all.filter(({ name }) => wanted.has(name)))
    results.push(
      await inTurn(parts, view, (stop) =>
        refreshNow(parts, view, { triggeredBy, signal: either(signal, stop) }),
      ),
    )
  return results
}

// What is asked for here after the stop is left to others: it is no failure of the view.
async function inTurn(
  { workers, log }: Parts,
  view: InstalledView,
  refresh: (stop: AbortSignal) => Promise<RefreshResult>,
): Promise<RefreshResult> {
  const result = await workers.whenFree(async (stop) =>
    workers.isStopping ? undone(view, 'skipped', 'It was stopped.') : refresh(stop),
  )
  report(log, result)
  return result
}

function either(signal: AbortSignal | undefined, stop: AbortSignal): AbortSignal {
  return signal ? AbortSignal.any([signal, stop]) : stop
}

async function onEvent({ catalog, db }: Parts, event: string): Promise<string[]> {
  const views = catalog.all.filter(({ refresh }) =>
    refresh.some((policy) => 'onEvent' in policy && policy.onEvent === event),
  )
  for (const { name } of views) await request(db, name, event)
  return views.map(({ name }) => name)
}

async function agesMs({ catalog, db }: Parts): Promise<Map<string, number>> {
  const states = await readStates(
    db,
    catalog.all.map(({ name }) => name),
  )
  return new Map(
    [...states.values()].map(({ name, now, lastSuccessAt }) => [
      name,
      now.getTime() - lastSuccessAt.getTime(),
    ]),
  )
}

function find(catalog: ViewCatalog, name: string): InstalledView {
  const view = catalog.find(name)
  if (view) return view
  const names = catalog.all.map((each) => each.name)
  const meant = nearest(name, names)
  const hint = meant === undefined ? '' : ` Did you mean "${meant}"?`
  throw badRequest('view', `There is no view "${name}".${hint}`)
}

function report(log: Log, { view, status, error }: RefreshResult): void {
  if (status === 'failed') log.warn('A view could not be refreshed.', { view, error })
  else log.debug('A view was refreshed, or need not be.', { view, status })
}
