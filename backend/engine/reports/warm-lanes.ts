// Batches of one warming as jobs, so that every instance that works on the lanes does its share of them. What comes back is what the
// batches say they did; whether the entries are there is looked at by who asked for the warming, as ever.
import pLimit from 'p-limit'
import * as z from 'zod'
import { messageOf, PrewarmError } from '../errors.ts'
import type { JobHandler, Lanes } from '../lanes/index.ts'
import { findTenants, listActiveTenants } from '../tenancy/index.ts'
import type { Catalog } from './catalog.ts'
import type { ComputeAll, Warming, WarmParts } from './warm-batches.ts'
import { addUp, computeGroup, NOTHING, type Computed } from './warm-compute.ts'
import { findDue, targetsOf, type WarmGroup } from './warm-plan.ts'

const WARM_BATCH = 'warmBatch'
// What a batch has done already is fresh at the next attempt.
const ATTEMPTS = 3

const Batch = z.object({
  report: z.string(),
  merge: z.boolean(),
  /** None when all tenants are merged. */
  tenantIds: z.array(z.string()),
  renewOlderThan: z.iso.datetime().optional(),
})
type Batch = z.infer<typeof Batch>

const Done: z.ZodType<Computed> = z.object({
  written: z.array(z.string()),
  bytes: z.number(),
  statements: z.number(),
  failures: z.array(
    z.object({ tenant_id: z.string(), tenant_name: z.string(), error: z.string() }),
  ),
})

/** From now on this process can do batches that others ask for, as many at the same time as it warms by itself. */
export function workOnBatches(lanes: Lanes, catalog: Catalog, parts: WarmParts): void {
  const limit = pLimit(parts.concurrency)
  const handler: JobHandler = (data, { signal }) =>
    limit(() => computeBatch(parts, catalog, { ...Batch.parse(data), signal }))
  lanes.handle(WARM_BATCH, handler)
}

async function computeBatch(
  parts: WarmParts,
  catalog: Catalog,
  { signal, renewOlderThan, ...batch }: Batch & { signal: AbortSignal },
): Promise<Computed> {
  const report = catalog.all.find(({ id }) => id === batch.report)
  if (!report) throw new PrewarmError('not_found', `There is no report "${batch.report}" here.`)
  const tenants = await (batch.merge
    ? listActiveTenants(parts.db)
    : findTenants(parts.db, batch.tenantIds))
  const group = { tenants, merge: batch.merge }
  const older = renewOlderThan === undefined ? undefined : new Date(renewOlderThan)
  const run = { ...parts, report, renewOlderThan: older, startedAt: parts.clock(), signal }
  signal.throwIfAborted()
  return computeGroup(run, group, await findDue(run, targetsOf(report, group)))
}

/**
 * The first batch that fails ends everything, as it does when they are all done here. What the lanes do not come to, because the queue
 * is away or nobody works on it, is done `here`; what somebody wrote without being able to say so is then found fresh.
 */
export function computeOnLanes(lanes: Lanes, here: ComputeAll): ComputeAll {
  return async (warming, onBatch) => {
    const left = new Set(warming.groups)
    const done: Computed[] = []
    const onGroup = (group: WarmGroup, computed: Computed): void => {
      left.delete(group)
      done.push(computed)
      onBatch(targetsOf(warming.report, group), computed)
    }
    const due = await dueAmong(warming)
    for (const group of warming.groups) if (!due.includes(group)) onGroup(group, NOTHING)
    try {
      // One batch is quicker without the detour.
      if (due.length > 1) await spread(lanes, { ...warming, groups: due }, onGroup)
    } catch (error) {
      warming.signal?.throwIfAborted()
      if (lanes.isStopped || !isAway(error)) throw error
      const { log } = warming.parts
      log.warn('What the lanes did not come to is warmed here.', {
        why: messageOf(error),
        report: warming.report.id,
        batches: left.size,
      })
    }
    return addUp([...done, await here({ ...warming, groups: [...left] }, onBatch)])
  }
}

/** The groups in which there is something to compute. */
async function dueAmong({ parts, groups, ...asked }: Warming): Promise<WarmGroup[]> {
  const due: WarmGroup[] = []
  for (const group of groups) {
    const targets = await findDue({ ...parts, ...asked }, targetsOf(asked.report, group))
    if (targets.length > 0) due.push(group)
  }
  return due
}

function isAway(error: unknown): boolean {
  return error instanceof PrewarmError && error.code === 'unavailable'
}

async function spread(
  lanes: Lanes,
  { parts, report, groups, renewOlderThan, signal: given }: Warming,
  onGroup: (group: WarmGroup, computed: Computed) => void,
): Promise<void> {
  const failure = new AbortController()
  const signal = AbortSignal.any([failure.signal, ...(given ? [given] : [])])
  const datas = groups.map((group) => batchOf(report.id, group, renewOlderThan))
  await lanes.runAll(WARM_BATCH, datas, {
    lane: 'normal',
    attempts: ATTEMPTS,
    patienceMs: longestBatchMs(parts),
    signal,
    onResult: (result, index) => {
      if (result.status === 'rejected') return failure.abort(result.reason)
      const group = groups[index]
      if (group) onGroup(group, Done.parse(result.value))
    },
  })
  signal.throwIfAborted()
}

/** When one of its tenants is too slow, the batch is halved until that one is alone, and each half waits for it. */
function longestBatchMs({ patienceMs, batchTenants }: WarmParts): number {
  return patienceMs * (1 + Math.ceil(Math.log2(batchTenants)))
}

function batchOf(
  report: string,
  { merge, tenants }: WarmGroup,
  renewOlderThan: Date | undefined,
): Batch {
  return {
    report,
    merge,
    tenantIds: merge ? [] : tenants.map(({ id }) => id),
    ...(renewOlderThan ? { renewOlderThan: renewOlderThan.toISOString() } : {}),
  }
}
