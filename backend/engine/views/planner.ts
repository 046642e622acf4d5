// Which views are refreshed next. Every instance plans; asking twice for the same view is no harm, because a refresh
// that finds nothing asked for does nothing.
import type { Queryable } from '../db/index.ts'
import type { InstalledView, ViewCatalog } from './catalog.ts'
import { dueReasons } from './policy.ts'
import { readStates, requestOnce, requestWhatWasPutAside, type ViewState } from './state.ts'

/** Requests what is due by its policies, and returns the views that are to be refreshed now. */
export async function plan(db: Queryable, { all }: ViewCatalog): Promise<ViewState[]> {
  await requestWhatWasPutAside(db)
  const states = await readStates(
    db,
    all.map(({ name }) => name),
  )
  for (const view of all) await requestWhatIsDue(db, view, states)
  return all.flatMap((view) => {
    const state = states.get(view.name)
    return state && isReady(view, states) ? [state] : []
  })
}

async function requestWhatIsDue(
  db: Queryable,
  view: InstalledView,
  states: Map<string, ViewState>,
): Promise<void> {
  const state = states.get(view.name)
  // One that is locked may hold its row until it ends, and what is due then is seen then.
  if (!state || state.isPending || state.isLocked) return
  const reasons = [...(state.isLost ? ['lost'] : []), ...dueReasons(view.refresh, state)]
  if (reasons.length === 0) return
  await requestOnce(db, state, reasons)
  states.set(view.name, { ...state, isPending: true, notBefore: null, reasons })
}

/** Whether it is asked for, and nothing is to be waited for. */
export function isReady(view: InstalledView, states: ReadonlyMap<string, ViewState>): boolean {
  const state = states.get(view.name)
  if (!state?.isPending || state.isLocked) return false
  if (state.notBefore !== null && state.notBefore > state.now) return false
  return !view.readsViews.some((read) => isUnderWay(states.get(read)))
}

// One that fails is not waited for: what is read of it stays as it is until somebody has mended it.
function isUnderWay(below: ViewState | undefined): boolean {
  return !!below && (below.isLocked || (below.isPending && below.failures === 0))
}
