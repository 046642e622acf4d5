// Warming: the tenants merged, then each of them, the most recently seen first, a few statements per batch. What the
// warmer writes is what a reader would have computed: the same statement, the same key, the same bytes.
import { PrewarmError } from '../errors.ts'
import type { Lanes } from '../lanes/index.ts'
import { findTenant, findTenants, GLOBAL, listActiveTenants } from '../tenancy/index.ts'
import type { Tenant } from '../tenancy/index.ts'
import type { InstalledReport } from './catalog.ts'
import { checkSql } from './compute.ts'
import { computeBatches, countUp, findAllCold } from './warm-batches.ts'
import type { ComputeAll, Counts, Warming, WarmParts } from './warm-batches.ts'
import { addUp, type Computed } from './warm-compute.ts'
import { computeOnLanes } from './warm-lanes.ts'
import { findDue, targetsOf, variantsOf } from './warm-plan.ts'
import type { DueOptions, WarmGroup, WarmTarget } from './warm-plan.ts'

export type WarmOptions = DueOptions & {
  /** Only this tenant. Unless given, all active tenants and, where the report can, all of them merged. */
  tenantId?: string | undefined
  /** Only those of these that are active; `SUPERADMIN_GLOBAL` stands for all tenants merged. */
  tenantIds?: readonly string[] | undefined
  /** No further statement is begun once it is aborted. */
  signal?: AbortSignal | undefined
  /** Who does batches of these lanes does ours, too, unless there is only one. Else all is done here. */
  lanes?: Lanes | undefined
  /** Called after each batch, with numbers of entries. */
  onProgress?: ((progress: WarmProgress) => void) | undefined
}

export type WarmProgress = { done: number; total: number; failed: number }

export type WarmSummary = Counts & {
  report: string
  tenants: number
  bytes: number
  /** Statements that computed reports. */
  statements: number
  elapsedMs: number
}

export type WarmPlan = { report: string; tenants: number; entries: number; due: string[] }

/**
 * Makes sure that every entry exists, and looks whether it does. What is gone although it was written (it was busted or
 * evicted meanwhile) is computed once more. Rejects when the database or the cache cannot be reached, when the report's
 * SQL fails whatever the tenant, and with `not_found` for an unknown tenant.
 */
export async function warm(
  parts: WarmParts,
  report: InstalledReport,
  options: WarmOptions,
): Promise<WarmSummary> {
  const start = performance.now()
  const { tenants, groups } = await groupsOf(parts, report, options)
  const { renewOlderThan, signal } = options
  const warming = { parts, report, groups, renewOlderThan, startedAt: parts.clock(), signal }
  await checkSql(parts.db, report, parts.clock())
  const computeAll = whereOf(parts, groups, options)
  const first = await computeAll(warming, progressOf(warming, options))
  const cold = await findAllCold(warming)
  const second = await computeAgain(warming, withoutFailed(cold, first))
  const computed = addUp([first, second])
  const stillCold = second.statements > 0 ? await findAllCold(warming) : cold
  return {
    report: report.id,
    tenants,
    ...countUp(warming, computed, stillCold),
    bytes: computed.bytes,
    statements: computed.statements,
    elapsedMs: Math.round(performance.now() - start),
  }
}

// What another process puts into a cache of its own is of no use here.
function whereOf(
  { store }: WarmParts,
  groups: readonly WarmGroup[],
  { lanes }: WarmOptions,
): ComputeAll {
  return lanes && groups.length > 1 && store.kind === 'redis'
    ? computeOnLanes(lanes, computeHere)
    : computeHere
}

const computeHere: ComputeAll = (warming, onBatch) => computeBatches(warming, findDue, onBatch)

/** What `warm` with the same options would compute now. */
export async function planWarming(
  parts: WarmParts,
  report: InstalledReport,
  options: WarmOptions,
): Promise<WarmPlan> {
  const { tenants, groups } = await groupsOf(parts, report, options)
  const startedAt = parts.clock()
  const due: string[] = []
  let entries = 0
  for (const group of groups) {
    const targets = targetsOf(report, group)
    const found = await findDue({ ...parts, ...options, report, startedAt }, targets)
    entries += targets.length
    due.push(...found.map(({ id }) => id.key))
  }
  return { report: report.id, tenants, entries, due }
}

async function groupsOf(
  { db, batchTenants }: WarmParts,
  report: InstalledReport,
  { tenantId, tenantIds }: WarmOptions,
): Promise<{ tenants: number; groups: WarmGroup[] }> {
  if (tenantIds) return groupsAmong({ db, batchTenants }, report, new Set(tenantIds))
  const tenants = tenantId
    ? [await existing(findTenant(db, tenantId))]
    : await listActiveTenants(db)
  const groups = inBatches(tenants, batchTenants)
  // First, because it takes longest: last, everything would wait for it alone.
  if (report.mergesTenants && !tenantId) groups.unshift({ tenants, merge: true })
  return { tenants: tenants.length, groups }
}

async function groupsAmong(
  { db, batchTenants }: Pick<WarmParts, 'db' | 'batchTenants'>,
  report: InstalledReport,
  wanted: ReadonlySet<string>,
): Promise<{ tenants: number; groups: WarmGroup[] }> {
  const tenants = await findTenants(
    db,
    [...wanted].filter((id) => id !== GLOBAL),
  )
  const groups = inBatches(tenants, batchTenants)
  if (report.mergesTenants && wanted.has(GLOBAL))
    groups.push({ tenants: await listActiveTenants(db), merge: true })
  return { tenants: tenants.length, groups }
}

function inBatches(tenants: readonly Tenant[], batchTenants: number): WarmGroup[] {
  const groups: WarmGroup[] = []
  for (let i = 0; i < tenants.length; i += batchTenants) {
    groups.push({ tenants: tenants.slice(i, i + batchTenants), merge: false })
  }
  return groups
}

async function existing(found: Promise<Tenant | undefined>): Promise<Tenant> {
  const tenant = await found
  if (tenant) return tenant
  throw new PrewarmError('not_found', 'There is no such active tenant.', { field: 'tenant_id' })
}

function progressOf({ report, groups }: Warming, { onProgress }: WarmOptions) {
  const total = groups.flatMap((group) => targetsOf(report, group)).length
  let done = 0
  let failed = 0
  return (targets: readonly WarmTarget[], { failures }: Computed): void => {
    const failedNow = failures.length * variantsOf(report).length
    failed += failedNow
    done += targets.length - failedNow
    onProgress?.({ done, total, failed })
  }
}

function withoutFailed(
  targets: readonly WarmTarget[],
  { failures }: Computed,
): ReadonlySet<string> {
  const failed = new Set(failures.map(({ tenant_id }) => tenant_id))
  return new Set(targets.filter(({ tenantId }) => !failed.has(tenantId)).map(({ id }) => id.key))
}

function computeAgain(warming: Warming, keys: ReadonlySet<string>): Promise<Computed> {
  return computeBatches(warming, async (_run, targets) =>
    targets.filter(({ id }) => keys.has(id.key)),
  )
}
