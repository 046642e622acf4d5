// How a view that is to be refreshed now gets to somebody who does it: over the lanes, to any process, or in this one.
import * as z from 'zod'
import type { Lanes } from '../lanes/index.ts'
import type { Log } from '../log.ts'
import type { RefreshResult } from './refresh.ts'

/** Resolves when somebody will do it, or does it already. */
export type Dispatch = (view: string) => Promise<unknown>

type RefreshOne = (view: string, signal?: AbortSignal) => Promise<RefreshResult>

const KIND = 'refreshView'
const Data = z.object({ view: z.string() })

/** While the lanes are away, it is done `here`: a view does not wait for a queue. */
export function overLanes(
  lanes: Pick<Lanes, 'handle' | 'add'>,
  refreshOne: RefreshOne,
  here: Dispatch,
): Dispatch {
  lanes.handle(KIND, (data, { signal }) => refreshOne(Data.parse(data).view, signal))
  // Attempted once: one that fails stays asked for, and is planned again.
  return (view) =>
    lanes.add(KIND, { view }, { lane: 'high', once: `${KIND} ${view}` }).catch(() => here(view))
}

export function inThisProcess(refreshOne: RefreshOne, log: Log): Dispatch {
  const underWay = new Set<string>()
  return async (view) => {
    if (underWay.has(view)) return
    underWay.add(view)
    refreshOne(view)
      .catch((error: unknown) => log.error('A view could not be refreshed.', { view, error }))
      .finally(() => underWay.delete(view))
  }
}
