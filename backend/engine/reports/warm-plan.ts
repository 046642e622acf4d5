import { stateOf, type EntryHeader, type EntryId, type Found, type Store } from '../cache/index.ts'
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
  renewAheadMs: number
}

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
  parts: PlanParts,
  report: InstalledReport,
  targets: readonly WarmTarget[],
  options: DueOptions,
): Promise<WarmTarget[]> {
  const found = await parts.store.peek(targets.map((target) => target.id))
  return targets.filter((_target, i) => isDue(parts, report, found[i], options))
}

function isDue(
  { clock, renewAheadMs }: PlanParts,
  report: InstalledReport,
  found: Found<EntryHeader> | undefined,
  { renewOlderThan }: DueOptions,
): boolean {
  if (!found?.part) return true
  const now = clock().getTime()
  const state = stateOf(found.part, { now, epochs: found.epochs, definition: report.hash })
  const isOld = found.part.generatedAt < (renewOlderThan?.getTime() ?? 0)
  return state !== 'fresh' || isOld || found.part.expiresAt - now < renewAheadMs
}
