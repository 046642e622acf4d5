import { stateOf, type EntryHeader, type EntryId, type EntryState } from '../cache/index.ts'
import type { Found, Store } from '../cache/index.ts'
import type { Clock } from '../clock.ts'
import { GLOBAL, type Tenant } from '../tenancy/index.ts'
import type { InstalledReport } from './catalog.ts'
import { entryIdOf, wholeTenant } from './request.ts'

/** Tenants that one statement answers for: each by itself, or all of them merged into one answer. */
export type WarmGroup = { tenants: readonly Tenant[]; merge: boolean }

/** One entry that warming keeps. `tenantId` is that of the scope: a tenant's, or `SUPERADMIN_GLOBAL`. */
export type WarmTarget = {
  id: EntryId
  tenantId: string
  tenantName: string
  variant: string | null
}

export type DueOptions = {
  /** Entries generated before this instant are due though they are fresh; without it only what is not fresh is. */
  renewOlderThan?: Date | undefined
}

export type PlanParts = {
  store: Store
  clock: Clock
  /** An entry whose hard lifetime ends within this is due: it would not live until the next warming is over. */
  renewAheadMs: (report: InstalledReport) => number
}

export type Planned = PlanParts & DueOptions & { report: InstalledReport; startedAt: Date }

export function targetsOf(report: InstalledReport, { tenants, merge }: WarmGroup): WarmTarget[] {
  const scopes = merge ? [{ id: GLOBAL, name: 'all tenants' }] : tenants
  return scopes.flatMap(({ id, name }) =>
    variantsOf(report).map((variant) => ({
      id: entryIdOf({ report, scope: wholeTenant(id), variant }),
      tenantId: id,
      tenantName: name,
      variant,
    })),
  )
}

export function variantsOf(report: InstalledReport): readonly (string | null)[] {
  return report.variant?.values ?? [null]
}

/** The targets whose entries have to be computed now. */
export async function findDue(
  planned: Planned,
  targets: readonly WarmTarget[],
): Promise<WarmTarget[]> {
  const aheadMs = planned.renewAheadMs(planned.report)
  return without(planned, targets, (found, now) => {
    const leftMs = (found.part?.expiresAt ?? 0) - now
    return leftMs >= aheadMs && stateIn(planned, found, now) === 'fresh'
  })
}

/** The targets whose entries are not as a warming leaves them: fresh, or at least made since it started. */
export async function findCold(
  planned: Planned,
  targets: readonly WarmTarget[],
): Promise<WarmTarget[]> {
  const startedAt = planned.startedAt.getTime()
  return without(planned, targets, (found, now) => {
    const state = stateIn(planned, found, now)
    return state === 'fresh' || (state === 'stale' && (found.part?.generatedAt ?? 0) >= startedAt)
  })
}

async function without(
  { store, clock }: PlanParts,
  targets: readonly WarmTarget[],
  isGood: (found: Found<EntryHeader>, now: number) => boolean,
): Promise<WarmTarget[]> {
  if (targets.length === 0) return []
  const found = await store.peek(targets.map((target) => target.id))
  const now = clock().getTime()
  return targets.filter((_target, i) => {
    const one = found[i]
    return !one || !isGood(one, now)
  })
}

// One that is older than was asked for counts as stale.
function stateIn(
  { report, renewOlderThan }: Planned,
  { part, ...present }: Found<EntryHeader>,
  now: number,
): EntryState {
  if (!part) return 'missing'
  const state = stateOf(part, { ...present, now, definition: report.hash })
  const isOld = part.generatedAt < (renewOlderThan?.getTime() ?? 0)
  return state === 'fresh' && isOld ? 'stale' : state
}
