// One computation per entry: at most one in this process (the flight), at most one among all processes (the lease).
import { setTimeout as sleep } from 'node:timers/promises'
import { whileLeased, type Claim, type Entry, type WriteResult } from '../cache/index.ts'
import type { LocalEntries, SingleFlight, Store } from '../cache/index.ts'
import type { Clock } from '../clock.ts'
import { isStatementError, type Db } from '../db/index.ts'
import { PrewarmError } from '../errors.ts'
import type { Log } from '../log.ts'
import { GLOBAL, listActiveTenants, type Tenant } from '../tenancy/index.ts'
import { compute } from './compute.ts'
import { lookUp } from './look-up.ts'
import type { MakeEntry } from './make-entry.ts'
import { entryIdOf, type ReportRequest } from './request.ts'
import { findAsked, findBehind } from './views-read.ts'

export type ReaderParts = {
  db: Db
  store: Store
  local: LocalEntries
  flight: SingleFlight
  clock: Clock
  log: Log
  makeEntry: MakeEntry
  /** How long a process that died keeps the others from computing what it was computing. */
  leaseMs: number
  /** How long a reader waits for the computation of another process. */
  patienceMs: number
  rewarmMs: number
}

export type Computed = {
  entry: Entry
  databaseMs: number
  /** The data changed while it was computed, or a view under it is behind. */
  isStale: boolean
}

/** `isChecked`: the store knew, when it was ready, whether the data had changed meanwhile. */
type Flown = Computed & { isChecked: boolean }

/** How often a process looks whether the entry that another process computes is there. */
const WAIT_STEP_MS = 25
/** Nobody is given what was before a commit longer ago than this as if it were new. */
const LATEST_MS = 1000

/**
 * A result that another process has written meanwhile is as good as our own. While the store is away, so is one that this process
 * began a moment ago; but if that was too long ago, who joined it is told that it may be outdated.
 */
export async function computeMissing(
  parts: ReaderParts,
  request: ReportRequest,
): Promise<Computed> {
  const startedAt = parts.clock().getTime()
  const { isChecked, ...computed } = await parts.flight(`missing ${keyOf(request)}`, () =>
    claimAndCompute(parts, request, () => findDone(parts, request, startedAt)),
  )
  const isTooOld = !isChecked && startedAt - computed.entry.header.generatedAt > LATEST_MS
  return { ...computed, isStale: computed.isStale || isTooOld }
}

/** Does not settle for a result that was begun before now, by whomever. */
export function computeAnew(parts: ReaderParts, request: ReportRequest): Promise<Computed> {
  const work = () => claimAndCompute(parts, request, async () => undefined)
  return parts.flight(`anew ${keyOf(request)}`, work, { anew: true })
}

/** Leaves the entry alone when another process is computing it or has done so, or when the store could not keep it. */
export function renewStale(parts: ReaderParts, request: ReportRequest): Promise<void> {
  return parts.flight(`stale ${keyOf(request)}`, async () => {
    const claim = await claimEntry(parts, request)
    if (claim === 'held' || claim === null) return
    const found = await lookUp(parts, request)
    if (found.state === 'fresh') await giveBack(parts, claim)
    else await computeAndWrite(parts, request, claim)
  })
}

// A claim that was won late may be for an entry that its former holder has just written, so it is looked for again. When
// the former holder fails or dies it is our turn; and when it lives and takes too long, the answer is computed and not kept.
async function claimAndCompute(
  parts: ReaderParts,
  request: ReportRequest,
  look: () => Promise<Flown | undefined>,
): Promise<Flown> {
  const deadline = performance.now() + parts.patienceMs
  for (;;) {
    const claim = await claimEntry(parts, request)
    const done = claim === null ? undefined : await look()
    if (done) {
      if (claim !== 'held') await giveBack(parts, claim)
      return done
    }
    if (claim !== 'held') return computeAndWrite(parts, request, claim)
    if (performance.now() > deadline) return computeAndWrite(parts, request, null)
    await sleep(WAIT_STEP_MS)
  }
}

function keyOf(request: ReportRequest): string {
  return entryIdOf(request).key
}

// Of a tenant that is written all the time nothing stays fresh. What was begun since we asked is as good as our own would be.
async function findDone(
  parts: ReaderParts,
  request: ReportRequest,
  startedAt: number,
): Promise<Flown | undefined> {
  const found = await lookUp(parts, request)
  if (found.state === 'missing') return undefined
  const isStale = found.state === 'stale'
  if (isStale && found.entry.header.generatedAt < startedAt) return undefined
  return { entry: found.entry, databaseMs: 0, isStale, isChecked: true }
}

// Null when the store cannot be reached: the answer is then computed, and not kept.
async function claimEntry(
  parts: ReaderParts,
  request: ReportRequest,
): Promise<Claim | 'held' | null> {
  const [claim] = await parts.store.claim([entryIdOf(request)], parts.leaseMs).catch(() => [])
  return claim ?? null
}

async function giveBack({ store }: ReaderParts, claim: Claim | null): Promise<void> {
  if (claim) await store.release([claim]).catch(() => undefined)
}

async function computeAndWrite(
  parts: ReaderParts,
  request: ReportRequest,
  claim: Claim | null,
): Promise<Flown> {
  try {
    const start = performance.now()
    const claims = claim ? [claim] : []
    const entry = await whileLeased(parts.store, claims, parts.leaseMs, () =>
      computeEntry(parts, request, claim),
    )
    const databaseMs = performance.now() - start
    const result = claim ? await write(parts, claim, entry) : 'unavailable'
    const isStale = result === 'outdated' || entry.header.waitsForView === true
    return { entry, databaseMs, isStale, isChecked: result === 'written' }
  } catch (error) {
    await giveBack(parts, claim)
    throw error
  }
}

async function computeEntry(
  parts: ReaderParts,
  request: ReportRequest,
  claim: Claim | null,
): Promise<Entry> {
  const { report, scope, params = {} } = request
  const now = parts.clock()
  const merge = scope.tenantId === GLOBAL
  const { tenants, data, waitsForView } = await askDatabase(parts, request, now, merge)
  return parts.makeEntry({
    report,
    scope,
    data,
    tenants,
    isRare: scope.teamId !== null || scope.assignedTo !== null || Object.keys(params).length > 0,
    claim: claim ?? NOT_KEPT,
    waitsForView,
    now,
  })
}

const NOT_KEPT: Pick<Claim, 'epochs' | 'version'> = { epochs: ['', '', ''], version: '' }

type Answered = { tenants: readonly Tenant[]; data: string; waitsForView: boolean }

async function askDatabase(
  { db }: ReaderParts,
  request: ReportRequest,
  now: Date,
  merge: boolean,
): Promise<Answered> {
  const { report, scope, variant, params } = request
  try {
    const asked = await (merge ? allTenants(db, request) : oneTenant(db, request))
    const { tenants } = asked
    const ask = { tenants, variants: [variant], restriction: scope, params, merge, now }
    const [computed] = await compute(db, report, ask)
    return { ...asked, data: computed?.data ?? '' }
  } catch (error) {
    throw publicError(report.id, error)
  }
}

type Asked = Omit<Answered, 'data'>

async function allTenants(db: Db, { report }: ReportRequest): Promise<Asked> {
  const tenants = await listActiveTenants(db)
  const behind = await findBehind(db, report, tenants)
  return { tenants, waitsForView: behind.size > 0 }
}

async function oneTenant(db: Db, { report, scope }: ReportRequest): Promise<Asked> {
  const asked = await findAsked(db, report, scope.tenantId)
  if (asked) return { tenants: [asked.tenant], waitsForView: asked.isBehind }
  throw new PrewarmError('not_found', 'There is no such tenant.', { field: 'tenant_id' })
}

function publicError(report: string, error: unknown): PrewarmError {
  if (error instanceof PrewarmError) return error
  if (isStatementError(error)) {
    return new PrewarmError('report_failed', `The report ${report} could not be computed.`, {
      cause: error,
    })
  }
  return new PrewarmError('unavailable', 'The database cannot be reached.', { cause: error })
}

// A cache that does not take the entry costs the next reader a computation; this reader has his answer.
async function write(
  parts: ReaderParts,
  claim: Claim,
  entry: Entry,
): Promise<WriteResult | 'unavailable'> {
  const lifetimeMs = entry.header.expiresAt - entry.header.generatedAt
  const confirm = parts.local.asking(claim.id.key)
  const results = await parts.store.write([{ claim, entry, lifetimeMs }]).catch(() => [])
  const result = results[0] ?? 'unavailable'
  if (result === 'written' && !entry.header.waitsForView) confirm(entry)
  if (result !== 'written' && result !== 'outdated')
    parts.log.info('A computed entry was not kept.', { key: claim.id.key, result })
  return result
}
