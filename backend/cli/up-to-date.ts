import type { Engine } from '../engine/engine.ts'
import type { ViewFreshness } from '../engine/views/index.ts'

type Parts = Pick<Engine, 'changes' | 'views'>

/**
 * Refreshes the views that are due or behind, now and not after some time, so that what is warmed afterwards shows all that
 * was written before. Returns the names of those that are behind all the same.
 */
export async function bringViewsUpToDate({ changes, views }: Parts): Promise<string[]> {
  await changes.drain()
  await views.tick()
  await views.idle()
  await views.refresh(await namesOfBehind(views), { triggeredBy: 'cli' })
  await changes.drain()
  return namesOfBehind(views)
}

async function namesOfBehind(views: Parts['views']): Promise<string[]> {
  return (await views.freshness()).filter(isBehind).map(({ view_name }) => view_name)
}

function isBehind({ is_pending, changed_tenants }: ViewFreshness): boolean {
  return is_pending || changed_tenants > 0
}

export function viewsSentence({ views }: Parts, behind: readonly string[]): string {
  if (behind.length === 0) return `${views.catalog.all.length} are up to date`
  return `${behind.join(', ')} could not be refreshed: "prewarm views list" says why`
}
