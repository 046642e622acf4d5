import { setTimeout as sleep } from 'node:timers/promises'
import { whileLeased, type Claim, type Write, type WriteResult } from '../cache/index.ts'
import { isStatementError, type Db } from '../db/index.ts'
import { messageOf, PrewarmError } from '../errors.ts'
import type { Log } from '../log.ts'
import { compute, UNRESTRICTED, type Answer } from './compute.ts'
import type { MakeEntry } from './make-entry.ts'
import { wholeTenant } from './request.ts'
import { findBehind } from './views-read.ts'
import { findCold, findDue, type Planned, type WarmGroup, type WarmTarget } from './warm-plan.ts'

export type ComputeParts = {
  db: Db
  log: Log
  makeEntry: MakeEntry
  leaseMs: number
  patienceMs: number
}

export type WarmRun = Planned &
  ComputeParts & {
    /** Nothing further is begun once it is aborted. */
    signal: AbortSignal
  }

export type WarmFailure = { tenant_id: string; tenant_name: string; error: string }

export type Computed = {
  /** Keys of entries. */
  written: readonly string[]
  bytes: number
  /** Statements that computed reports. */
  statements: number
  failures: readonly WarmFailure[]
}

export const NOTHING: Computed = { written: [], bytes: 0, statements: 0, failures: [] }
const WAIT_STEP_MS = 50

/** One entry that is ours to compute. */
type Work = { target: WarmTarget; claim: Claim }

/**
 * Computes and writes the targets that no other process is computing, and waits for those that another one is, or does
 * them when it fails or dies. One tenant whose report fails or is too slow costs the others nothing but a few statements:
 * the work is halved until that tenant is alone.
 */
export async function computeGroup(
  run: WarmRun,
  group: WarmGroup,
  targets: readonly WarmTarget[],
): Promise<Computed> {
  const deadline = performance.now() + run.patienceMs
  let { computed, held } = await computeFree(run, group, targets)
  while (held.length > 0 && performance.now() < deadline) {
    await sleep(WAIT_STEP_MS)
    const next = await computeFree(run, group, await findCold(run, held))
    computed = addUp([computed, next.computed])
    held = next.held
  }
  return computed
}

async function computeFree(
  run: WarmRun,
  group: WarmGroup,
  targets: readonly WarmTarget[],
): Promise<{ computed: Computed; held: WarmTarget[] }> {
  if (targets.length === 0) return { computed: NOTHING, held: [] }
  run.signal.throwIfAborted()
  const ids = targets.map((target) => target.id)
  const claims = await run.store.claim(ids, run.leaseMs)
  const held = targets.filter((_target, i) => claims[i] === 'held')
  const works = await stillDue(
    run,
    targets.flatMap((target, i) => workOf(target, claims[i])),
  )
  return { computed: await computeOrDivide(run, group, works), held }
}

// Whoever held an entry before may have written it between our look and our claim.
async function stillDue(run: WarmRun, works: readonly Work[]): Promise<Work[]> {
  const targets = works.map(({ target }) => target)
  const due = new Set(await findDue(run, targets))
  await release(
    run,
    works.filter(({ target }) => !due.has(target)),
  )
  return works.filter(({ target }) => due.has(target))
}

async function release({ store }: WarmRun, works: readonly Work[]): Promise<void> {
  if (works.length > 0) await store.release(works.map(({ claim }) => claim)).catch(() => undefined)
}

function workOf(target: WarmTarget, claim: Claim | 'held' | undefined): Work[] {
  return claim === undefined || claim === 'held' ? [] : [{ target, claim }]
}

// Nothing stays claimed while the halves are computed one after the other: readers may need the other half sooner.
async function computeOrDivide(
  run: WarmRun,
  group: WarmGroup,
  works: readonly Work[],
): Promise<Computed> {
  if (works.length === 0) return NOTHING
  const claims = works.map(({ claim }) => claim)
  try {
    const work = () => computeAndWrite(run, group, works)
    return await whileLeased(run.store, claims, run.leaseMs, work)
  } catch (error) {
    await release(run, works)
    if (!isTenantsFault(error)) throw error
    const targets = works.map(({ target }) => target)
    const [half, rest] = halvesOf(targets)
    if (rest.length === 0) return failed(run, targets, error)
    const first = await computeGroup(run, group, half)
    const second = await computeGroup(run, group, rest)
    return addUp([first, second, { ...NOTHING, statements: 1 }])
  }
}

/** All variants of a tenant stay together, as they are computed together. */
function halvesOf(targets: readonly WarmTarget[]): [WarmTarget[], WarmTarget[]] {
  const tenantIds = [...new Set(targets.map(({ tenantId }) => tenantId))]
  const half = new Set(tenantIds.slice(0, Math.ceil(tenantIds.length / 2)))
  const isInHalf = ({ tenantId }: WarmTarget): boolean => half.has(tenantId)
  return [targets.filter(isInHalf), targets.filter((target) => !isInHalf(target))]
}

async function computeAndWrite(
  run: WarmRun,
  group: WarmGroup,
  works: readonly Work[],
): Promise<Computed> {
  const now = run.clock()
  const wanted = new Set(works.map(({ target }) => target.tenantId))
  const tenants = group.tenants.filter((tenant) => group.merge || wanted.has(tenant.id))
  const variants = [...new Set(works.map(({ target }) => target.variant))]
  const ask = { tenants, variants, restriction: UNRESTRICTED, merge: group.merge, now }
  const behind = await findBehind(run.db, run.report, tenants)
  const answers = indexed(await compute(run.db, run.report, ask))
  const writes = works.map((work) => writeOf(run, { ...work, answers, behind, group, now }))
  const results = await run.store.write(writes)
  const written = writes.filter((_write, i) => isKept(results[i]))
  return {
    written: written.map(({ claim }) => claim.id.key),
    bytes: written.reduce((sum, { entry }) => sum + entry.body.length, 0),
    statements: 1,
    failures: [],
  }
}

function isKept(result: WriteResult | undefined): boolean {
  return result === 'written' || result === 'outdated'
}

type Answered = Work & {
  answers: ReadonlyMap<string, Answer>
  behind: ReadonlySet<string>
  group: WarmGroup
  now: Date
}

function writeOf(
  { report, makeEntry }: WarmRun,
  { target, claim, answers, behind, group, now }: Answered,
): Write {
  const { tenantId, variant } = target
  const data = answers.get(group.merge ? `null ${variant}` : `${tenantId} ${variant}`)?.data ?? ''
  const tenants = group.merge ? group.tenants : group.tenants.filter(({ id }) => id === tenantId)
  const scope = wholeTenant(tenantId)
  const waitsForView = tenants.some(({ id }) => behind.has(id))
  const entry = makeEntry({ report, scope, data, tenants, claim, waitsForView, now })
  return { claim, entry, lifetimeMs: entry.header.expiresAt - entry.header.generatedAt }
}

function indexed(answers: readonly Answer[]): ReadonlyMap<string, Answer> {
  return new Map(answers.map((answer) => [`${answer.tenantId} ${answer.variant}`, answer]))
}

function isTenantsFault(error: unknown): boolean {
  const isIncomplete = error instanceof PrewarmError && error.code === 'report_failed'
  return isStatementError(error) || isIncomplete
}

function failed({ log }: WarmRun, targets: readonly WarmTarget[], error: unknown): Computed {
  const [target] = targets
  log.warn('A tenant could not be warmed.', { tenant: target?.tenantId, error })
  return { ...NOTHING, statements: 1, failures: failuresOf(targets, () => messageOf(error)) }
}

/** One for each tenant among the targets. */
export function failuresOf(
  targets: readonly WarmTarget[],
  errorOf: (target: WarmTarget) => string,
): WarmFailure[] {
  const byTenant = new Map<string, WarmFailure>()
  for (const target of targets) {
    const { tenantId: tenant_id, tenantName: tenant_name } = target
    byTenant.set(tenant_id, { tenant_id, tenant_name, error: errorOf(target) })
  }
  return [...byTenant.values()]
}

export function addUp(parts: readonly Computed[]): Computed {
  return {
    written: parts.flatMap(({ written }) => written),
    bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
    statements: parts.reduce((sum, { statements }) => sum + statements, 0),
    failures: parts.flatMap(({ failures }) => failures),
  }
}
