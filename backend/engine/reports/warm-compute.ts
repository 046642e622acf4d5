import { setTimeout as sleep } from 'node:timers/promises'
import type { Claim, Write } from '../cache/index.ts'
import { isStatementError, type Db } from '../db/index.ts'
import { messageOf, PrewarmError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { InstalledReport } from './catalog.ts'
import { compute, UNRESTRICTED, type Answer } from './compute.ts'
import type { MakeEntry } from './make-entry.ts'
import { wholeTenant } from './request.ts'
import type { PlanParts, WarmGroup, WarmTarget } from './warm-plan.ts'

export type ComputeParts = PlanParts & { db: Db; log: Log; makeEntry: MakeEntry; leaseMs: number }

export type WarmFailure = { tenant_id: string; tenant_name: string; error: string }

export type Computed = {
  warmed: number
  bytes: number
  /** Statements that computed reports. */
  statements: number
  failures: WarmFailure[]
}

const NOTHING: Computed = { warmed: 0, bytes: 0, statements: 0, failures: [] }
const WAIT_STEP_MS = 50

/** One entry that is ours to compute. */
type Work = { target: WarmTarget; claim: Claim }

/**
 * Computes and writes the targets that no other process is computing, and waits for those that another one is.
 * One tenant whose report fails or is too slow costs the others nothing but a few statements: the work is halved until
 * that tenant is alone.
 */
export async function computeGroup(
  parts: ComputeParts,
  report: InstalledReport,
  group: WarmGroup,
  targets: readonly WarmTarget[],
): Promise<Computed> {
  if (targets.length === 0) return NOTHING
  const claims = await parts.store.claim(
    targets.map((target) => target.id),
    parts.leaseMs,
  )
  const works = targets.flatMap((target, i) => workOf(target, claims[i]))
  const computed = await computeOrDivide(parts, report, group, works)
  await waitForOthers(
    parts,
    targets.filter((_target, i) => claims[i] === 'held'),
  )
  return computed
}

function workOf(target: WarmTarget, claim: Claim | 'held' | undefined): Work[] {
  return claim === undefined || claim === 'held' ? [] : [{ target, claim }]
}

async function computeOrDivide(
  parts: ComputeParts,
  report: InstalledReport,
  group: WarmGroup,
  works: readonly Work[],
): Promise<Computed> {
  const tenantIds = [...new Set(works.map(({ target }) => target.tenantId))]
  if (tenantIds.length === 0) return NOTHING
  try {
    return await computeAndWrite(parts, report, group, works)
  } catch (error) {
    if (!isTenantsFault(error) || tenantIds.length === 1) await release(parts, works)
    if (!isTenantsFault(error)) throw error
    if (tenantIds.length === 1) return failed(parts, works, error)
    const half = new Set(tenantIds.slice(0, tenantIds.length / 2))
    const isInHalf = ({ target }: Work): boolean => half.has(target.tenantId)
    const first = await computeOrDivide(parts, report, group, works.filter(isInHalf))
    const rest = await computeOrDivide(
      parts,
      report,
      group,
      works.filter((work) => !isInHalf(work)),
    )
    return addUp(first, rest)
  }
}

async function computeAndWrite(
  parts: ComputeParts,
  report: InstalledReport,
  group: WarmGroup,
  works: readonly Work[],
): Promise<Computed> {
  const now = parts.clock()
  const wanted = new Set(works.map(({ target }) => target.tenantId))
  const tenants = group.tenants.filter((tenant) => group.merge || wanted.has(tenant.id))
  const variants = [...new Set(works.map(({ target }) => target.variant))]
  const ask = { tenants, variants, restriction: UNRESTRICTED, merge: group.merge, now }
  const answers = indexed(await compute(parts.db, report, ask))
  const writes = works.map((work) => writeOf(parts, report, { ...work, answers, group, now }))
  const results = await parts.store.write(writes)
  const written = writes.filter((_write, i) => results[i] === 'written')
  const bytes = written.reduce((sum, { entry }) => sum + entry.body.length, 0)
  return { warmed: written.length, bytes, statements: 1, failures: [] }
}

type Answered = Work & { answers: ReadonlyMap<string, Answer>; group: WarmGroup; now: Date }

function writeOf(
  { makeEntry }: ComputeParts,
  report: InstalledReport,
  { target, claim, answers, group, now }: Answered,
): Write {
  const { tenantId, variant } = target
  const data = answers.get(group.merge ? `null ${variant}` : `${tenantId} ${variant}`)?.data ?? ''
  const tenants = group.merge ? group.tenants : group.tenants.filter(({ id }) => id === tenantId)
  const scope = wholeTenant(tenantId)
  const entry = makeEntry({ report, scope, data, tenants, epochs: claim.epochs, now })
  return { claim, entry, lifetimeMs: entry.header.expiresAt - entry.header.generatedAt }
}

function indexed(answers: readonly Answer[]): ReadonlyMap<string, Answer> {
  return new Map(answers.map((answer) => [`${answer.tenantId} ${answer.variant}`, answer]))
}

// A RangeError is a time zone that PostgreSQL knows and this runtime does not.
function isTenantsFault(error: unknown): boolean {
  const isIncomplete = error instanceof PrewarmError && error.code === 'report_failed'
  return isStatementError(error) || isIncomplete || error instanceof RangeError
}

async function release({ store }: ComputeParts, works: readonly Work[]): Promise<void> {
  await store.release(works.map(({ claim }) => claim)).catch(() => undefined)
}

function failed(parts: ComputeParts, works: readonly Work[], error: unknown): Computed {
  const failures = new Map<string, WarmFailure>()
  for (const { target } of works) {
    const { tenantId, tenantName } = target
    parts.log.warn('A tenant could not be warmed.', { tenant: tenantId, error })
    const failure = { tenant_id: tenantId, tenant_name: tenantName, error: messageOf(error) }
    failures.set(tenantId, failure)
  }
  return { ...NOTHING, statements: 1, failures: [...failures.values()] }
}

export function addUp(a: Computed, b: Computed): Computed {
  return {
    warmed: a.warmed + b.warmed,
    bytes: a.bytes + b.bytes,
    statements: a.statements + b.statements,
    failures: [...a.failures, ...b.failures],
  }
}

async function waitForOthers(
  { store, leaseMs }: ComputeParts,
  held: readonly WarmTarget[],
): Promise<void> {
  if (held.length === 0) return
  const deadline = performance.now() + leaseMs
  const ids = held.map((target) => target.id)
  while (performance.now() < deadline) {
    const found = await store.peek(ids)
    if (found.every(({ part }) => part !== undefined)) return
    await sleep(WAIT_STEP_MS)
  }
}
