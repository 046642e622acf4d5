// A refresh for somebody who waits for it. When another session is at the view already, that one's result may be what he
// waits for: it is if it began after he asked.
import { setTimeout as sleep } from 'node:timers/promises'
import { SECOND } from '../clock.ts'
import type { InstalledView } from './catalog.ts'
import { refreshOnce, type RefreshParts, type RefreshResult } from './refresh.ts'
import { readStates, request, type ViewState } from './state.ts'

const POLL_MS = 100
const GRACE_MS = 30 * SECOND

export type RefreshNowOptions = { triggeredBy: string; signal: AbortSignal }

export async function refreshNow(
  parts: RefreshParts,
  view: InstalledView,
  { triggeredBy, signal }: RefreshNowOptions,
): Promise<RefreshResult> {
  const number = await request(parts.db, view.name, triggeredBy)
  if (number === undefined) return gone(view)
  const options = { triggeredBy, onlyRequested: false, request: number, signal }
  const giveUpAt = performance.now() + view.timeoutSeconds * SECOND + GRACE_MS
  for (;;) {
    const result = await refreshOnce(parts, view, options)
    if (result.status !== 'skipped' || signal.aborted || performance.now() > giveUpAt) return result
    const state = await whenFree(parts, view, { number, signal, giveUpAt })
    if (state && BigInt(state.satisfied) >= number)
      return { ...result, status: 'refreshed', refreshedAt: state.lastSuccessAt, error: null }
  }
}

function gone({ name }: InstalledView): RefreshResult {
  const error = 'It was never made: run "prewarm migrate".'
  return { view: name, status: 'failed', refreshedAt: null, error }
}

/** Nobody is at the view any more, or what was asked for is done. */
async function whenFree(
  { db }: RefreshParts,
  { name }: InstalledView,
  { number, signal, giveUpAt }: { number: bigint; signal: AbortSignal; giveUpAt: number },
): Promise<ViewState | undefined> {
  for (;;) {
    const state = (await readStates(db, [name])).get(name)
    if (!state?.isLocked || BigInt(state.satisfied) >= number) return state
    if (signal.aborted || performance.now() > giveUpAt) return state
    await sleep(POLL_MS)
  }
}
