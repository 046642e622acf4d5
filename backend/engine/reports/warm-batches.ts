// All batches of one warming, and what there is in the cache after them.
import pLimit from 'p-limit'
import type { InstalledReport } from './catalog.ts'
import { addUp, computeGroup, failuresOf } from './warm-compute.ts'
import type { ComputeParts, Computed, WarmFailure, WarmRun } from './warm-compute.ts'
import { findCold, targetsOf } from './warm-plan.ts'
import type { PlanParts, WarmGroup, WarmTarget } from './warm-plan.ts'

export type WarmParts = PlanParts &
  ComputeParts & {
    /** Tenants per statement. */
    batchTenants: number
    /** Statements at the same time. */
    concurrency: number
  }

export type Warming = {
  parts: WarmParts
  report: InstalledReport
  groups: readonly WarmGroup[]
  renewOlderThan: Date | undefined
  startedAt: Date
  /** No further statement is begun once it is aborted. */
  signal: AbortSignal | undefined
}

/** Which targets of a group are to be computed. */
export type Choice = (run: WarmRun, targets: readonly WarmTarget[]) => Promise<WarmTarget[]>

/** Computes what is due in all batches. `onBatch` is told of each that is done. */
export type ComputeAll = (
  warming: Warming,
  onBatch: (targets: readonly WarmTarget[], computed: Computed) => void,
) => Promise<Computed>

/** The first error ends everything; it is passed on when nothing is under way any more. */
export async function computeBatches(
  { parts, groups, signal: given, ...asked }: Warming,
  choose: Choice,
  onBatch: (targets: readonly WarmTarget[], computed: Computed) => void = () => undefined,
): Promise<Computed> {
  const failure = new AbortController()
  const signal = AbortSignal.any([failure.signal, ...(given ? [given] : [])])
  const run = { ...parts, ...asked, signal }
  const limit = pLimit(parts.concurrency)
  const done: Computed[] = []
  const computeOne = async (group: WarmGroup): Promise<void> => {
    signal.throwIfAborted()
    const targets = targetsOf(asked.report, group)
    const computed = await computeGroup(run, group, await choose(run, targets))
    done.push(computed)
    onBatch(targets, computed)
  }
  const batches = groups.map((group) =>
    limit(computeOne, group).catch((error: unknown) => failure.abort(error)),
  )
  await Promise.all(batches)
  signal.throwIfAborted()
  return addUp(done)
}

/** Every entry that is not as it should be after a warming. */
export async function findAllCold({ parts, groups, ...asked }: Warming): Promise<WarmTarget[]> {
  const cold: WarmTarget[] = []
  for (const group of groups) {
    cold.push(...(await findCold({ ...parts, ...asked }, targetsOf(asked.report, group))))
  }
  return cold
}

export type Counts = {
  /** All that should be in the cache now: those that were warmed, those that were fresh, and those that failed. */
  entries: number
  warmed: number
  skippedFresh: number
  failedEntries: number
  /** One for each tenant that has an entry among those that failed. */
  failures: readonly WarmFailure[]
}

export function countUp(
  { groups, report }: Warming,
  { written, failures }: Computed,
  cold: readonly WarmTarget[],
): Counts {
  const entries = groups.flatMap((group) => targetsOf(report, group)).length
  const warm = new Set(written)
  for (const { id } of cold) warm.delete(id.key)
  const reasons = new Map(failures.map(({ tenant_id, error }) => [tenant_id, error]))
  return {
    entries,
    warmed: warm.size,
    skippedFresh: entries - warm.size - cold.length,
    failedEntries: cold.length,
    failures: failuresOf(cold, ({ tenantId, id }) => reasons.get(tenantId) ?? goneAgain(id.key)),
  }
}

function goneAgain(key: string): string {
  return `The entry ${key} is not in the cache, or old, although it was computed.`
}
