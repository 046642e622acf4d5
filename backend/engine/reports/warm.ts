// Warming: all tenants, the most recently seen first, a few statements per batch. What the warmer writes is what
// a reader would have computed: the same statement, the same key, the same bytes.
import pLimit from 'p-limit'
import { PrewarmError } from '../errors.ts'
import { findTenant, listActiveTenants, type Tenant } from '../tenancy/index.ts'
import type { InstalledReport } from './catalog.ts'
import { warmBatch } from './warm-batch.ts'
import { addUp, type ComputeParts, type Computed } from './warm-compute.ts'
import { findDue, targetsOf, type DueOptions, type WarmGroup } from './warm-plan.ts'

export type WarmOptions = DueOptions & {
  /** Only this tenant. Unless given, all active tenants and, where the report can, all of them merged. */
  tenantId?: string | undefined
  /** No further batch is begun once it is aborted. */
  signal?: AbortSignal | undefined
  /** Called after each batch, with numbers of entries. */
  onProgress?: ((progress: WarmProgress) => void) | undefined
}

export type WarmProgress = { done: number; total: number; failed: number }

export type WarmSummary = Computed & {
  report: string
  tenants: number
  skippedFresh: number
  elapsedMs: number
}

export type WarmPlan = { report: string; tenants: number; entries: number; due: string[] }

export type WarmParts = ComputeParts & {
  /** Tenants per statement. */
  batchTenants: number
  /** Statements at the same time. */
  concurrency: number
}

/** Rejects with `unavailable` when the database or the cache cannot be reached, and with `not_found` for an unknown tenant. */
export async function warm(
  parts: WarmParts,
  report: InstalledReport,
  options: WarmOptions,
): Promise<WarmSummary> {
  const start = performance.now()
  const { tenants, groups } = await groupsOf(parts, report, options)
  const total = groups.reduce((sum, group) => sum + targetsOf(report, group).length, 0)
  let sum = { warmed: 0, bytes: 0, statements: 0, failures: [], skippedFresh: 0 } as BatchSum
  const limit = pLimit(parts.concurrency)
  const warmOne = async (group: WarmGroup): Promise<void> => {
    options.signal?.throwIfAborted()
    const result = await warmBatch(parts, report, group, options)
    sum = { ...addUp(sum, result), skippedFresh: sum.skippedFresh + result.skippedFresh }
    options.onProgress?.({ ...progressOf(sum), total })
  }
  await Promise.all(groups.map((group) => limit(warmOne, group)))
  return { report: report.id, tenants, ...sum, elapsedMs: Math.round(performance.now() - start) }
}

/** What `warm` with the same options would compute now. */
export async function planWarming(
  parts: WarmParts,
  report: InstalledReport,
  options: WarmOptions,
): Promise<WarmPlan> {
  const { tenants, groups } = await groupsOf(parts, report, options)
  const due: string[] = []
  let entries = 0
  for (const group of groups) {
    const targets = targetsOf(report, group)
    entries += targets.length
    due.push(...(await findDue(parts, report, targets, options)).map(({ id }) => id.key))
  }
  return { report: report.id, tenants, entries, due }
}

type BatchSum = Computed & { skippedFresh: number }

function progressOf({ warmed, skippedFresh, failures }: BatchSum): Omit<WarmProgress, 'total'> {
  return { done: warmed + skippedFresh, failed: failures.length }
}

async function groupsOf(
  { db, batchTenants }: WarmParts,
  report: InstalledReport,
  { tenantId }: WarmOptions,
): Promise<{ tenants: number; groups: WarmGroup[] }> {
  const tenants = tenantId
    ? [await existing(findTenant(db, tenantId))]
    : await listActiveTenants(db)
  const groups: WarmGroup[] = []
  for (let i = 0; i < tenants.length; i += batchTenants) {
    groups.push({ tenants: tenants.slice(i, i + batchTenants), merge: false })
  }
  if (report.mergesTenants && !tenantId) groups.push({ tenants, merge: true })
  return { tenants: tenants.length, groups }
}

async function existing(found: Promise<Tenant | undefined>): Promise<Tenant> {
  const tenant = await found
  if (tenant) return tenant
  throw new PrewarmError('not_found', 'There is no such active tenant.', { field: 'tenant_id' })
}
