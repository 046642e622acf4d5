// One computation per entry: at most one in this process (the flight), at most one among all processes (the lease).
import { setTimeout as sleep } from 'node:timers/promises'
import { whileLeased, type Claim, type Entry } from '../cache/index.ts'
import type { LocalEntries, SingleFlight, Store } from '../cache/index.ts'
import type { Clock } from '../clock.ts'
import { isStatementError, type Db } from '../db/index.ts'
import { PrewarmError } from '../errors.ts'
import type { Log } from '../log.ts'
import { findTenant, GLOBAL, listActiveTenants, type Tenant } from '../tenancy/index.ts'
import { compute } from './compute.ts'
import { lookUp } from './look-up.ts'
import type { MakeEntry } from './make-entry.ts'
import { entryIdOf, type ReportRequest } from './request.ts'

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
}

export type Computed = { entry: Entry; databaseMs: number }

/** How often a process looks whether the entry that another process computes is there. */
const WAIT_STEP_MS = 25

/** A result that another process has written meanwhile is as good as our own. */
export function computeMissing(parts: ReaderParts, request: ReportRequest): Promise<Computed> {
  return parts.flight(`missing ${keyOf(request)}`, () =>
    claimAndCompute(parts, request, () => findFresh(parts, request)),
  )
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
    if (await findFresh(parts, request)) await giveBack(parts, claim)
    else await computeAndWrite(parts, request, claim)
  })
}

// A claim that was won late may be for an entry that its former holder has just written, so it is looked for again. When
// the former holder fails or dies it is our turn; and when it lives and takes too long, the answer is computed and not kept.
async function claimAndCompute(
  parts: ReaderParts,
  request: ReportRequest,
  findDone: () => Promise<Entry | undefined>,
): Promise<Computed> {
  const deadline = performance.now() + parts.patienceMs
  for (;;) {
    const claim = await claimEntry(parts, request)
    const done = claim === null ? undefined : await findDone()
    if (done) {
      if (claim !== 'held') await giveBack(parts, claim)
      return { entry: done, databaseMs: 0 }
    }
    if (claim !== 'held') return computeAndWrite(parts, request, claim)
    if (performance.now() > deadline) return computeAndWrite(parts, request, null)
    await sleep(WAIT_STEP_MS)
  }
}

function keyOf(request: ReportRequest): string {
  return entryIdOf(request).key
}

async function findFresh(parts: ReaderParts, request: ReportRequest): Promise<Entry | undefined> {
  const found = await lookUp(parts, request)
  return found.state === 'fresh' ? found.entry : undefined
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
): Promise<Computed> {
  try {
    const start = performance.now()
    const claims = claim ? [claim] : []
    const entry = await whileLeased(parts.store, claims, parts.leaseMs, () =>
      computeEntry(parts, request, claim),
    )
    const databaseMs = performance.now() - start
    if (claim) await write(parts, claim, entry)
    return { entry, databaseMs }
  } catch (error) {
    await giveBack(parts, claim)
    throw error
  }
}

async function computeEntry(
  parts: ReaderParts,
  { report, scope, variant }: ReportRequest,
  claim: Claim | null,
): Promise<Entry> {
  const now = parts.clock()
  const merge = scope.tenantId === GLOBAL
  const [tenants, data] = await askDatabase(parts, { report, scope, variant }, now, merge)
  const epochs = claim?.epochs ?? ['', '', '']
  return parts.makeEntry({ report, scope, data, tenants, epochs, now })
}

async function askDatabase(
  { db }: ReaderParts,
  { report, scope, variant }: ReportRequest,
  now: Date,
  merge: boolean,
): Promise<[readonly Tenant[], string]> {
  try {
    const tenants = merge ? await listActiveTenants(db) : [await tenantOf(db, scope.tenantId)]
    const ask = { tenants, variants: [variant], restriction: scope, merge, now }
    const [computed] = await compute(db, report, ask)
    return [tenants, computed?.data ?? '']
  } catch (error) {
    throw publicError(report.id, error)
  }
}

async function tenantOf(db: Db, id: string): Promise<Tenant> {
  const tenant = await findTenant(db, id)
  if (tenant) return tenant
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
async function write(parts: ReaderParts, claim: Claim, entry: Entry): Promise<void> {
  const lifetimeMs = entry.header.expiresAt - entry.header.generatedAt
  const confirm = parts.local.asking(claim.id.key)
  const [result] = await parts.store.write([{ claim, entry, lifetimeMs }]).catch(() => [])
  if (result === 'written') confirm(entry)
  else
    parts.log.info('A computed entry was not kept.', {
      key: claim.id.key,
      result: result ?? 'unavailable',
    })
}
