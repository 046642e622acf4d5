import { stateOf } from '../cache/index.ts'
import type { InstalledReport } from './catalog.ts'
import {
  addUp,
  computeGroup,
  type ComputeParts,
  type Computed,
  type WarmFailure,
} from './warm-compute.ts'
import {
  findDue,
  targetsOf,
  type DueOptions,
  type WarmGroup,
  type WarmTarget,
} from './warm-plan.ts'

export type BatchResult = Computed & { skippedFresh: number }

/**
 * Makes sure that every entry of the group exists, and looks whether it does. What is missing although it was written (it was
 * busted or evicted meanwhile) is computed once more. Rejects when the database or the cache cannot be reached.
 */
export async function warmBatch(
  parts: ComputeParts,
  report: InstalledReport,
  group: WarmGroup,
  options: DueOptions,
): Promise<BatchResult> {
  const targets = targetsOf(report, group)
  const due = await findDue(parts, report, targets, options)
  const skippedFresh = targets.length - due.length
  const first = await computeGroup(parts, report, group, due)
  const lost = await findMissing(parts, report, withoutFailed(due, first.failures))
  const second = await computeGroup(parts, report, group, lost)
  const missing = await findMissing(parts, report, withoutFailed(lost, second.failures))
  const both = addUp(first, second)
  return { ...both, failures: [...both.failures, ...missing.map(notThere)], skippedFresh }
}

async function findMissing(
  { store, clock }: ComputeParts,
  report: InstalledReport,
  targets: readonly WarmTarget[],
): Promise<WarmTarget[]> {
  if (targets.length === 0) return []
  const found = await store.peek(targets.map((target) => target.id))
  const now = clock().getTime()
  return targets.filter((_target, i) => {
    const { part, epochs } = found[i] ?? { part: undefined, epochs: [null, null, null] as const }
    return !part || stateOf(part, { now, epochs, definition: report.hash }) === 'missing'
  })
}

function withoutFailed(
  targets: readonly WarmTarget[],
  failures: readonly WarmFailure[],
): WarmTarget[] {
  const failed = new Set(failures.map((failure) => failure.tenant_id))
  return targets.filter((target) => !failed.has(target.tenantId))
}

function notThere({ tenantId, tenantName, id }: WarmTarget): WarmFailure {
  return {
    tenant_id: tenantId,
    tenant_name: tenantName,
    error: `The entry ${id.key} is not in the cache after it was computed.`,
  }
}
