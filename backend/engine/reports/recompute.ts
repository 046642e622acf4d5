// One computation per entry: at most one in this process (the flight), at most one among all processes (the lease).
import { setTimeout as sleep } from 'node:timers/promises'
import type { Claim, Entry, LocalEntries, SingleFlight, Store } from '../cache/index.ts'
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
  /** How long one computation may keep others from computing the same entry. */
  leaseMs: number
}

export type Computed = { entry: Entry; databaseMs: number }

/** How often a process looks whether the entry that another process computes is there. */
const WAIT_STEP_MS = 25

/** With `wait: false` it rejects with `conflict` when another process is computing the entry already. */
export function recompute(
  parts: ReaderParts,
  request: ReportRequest,
  { wait }: { wait: boolean },
): Promise<Computed> {
  const { key } = entryIdOf(request)
  return parts.flight(key, async () => {
    const claim = await claimEntry(parts, request)
    if (claim !== 'held') return computeAndWrite(parts, request, claim)
    if (wait) return waitForOther(parts, request)
    throw new PrewarmError('conflict', `Another process is computing ${key}.`)
  })
}

/** Does not settle for a result that was begun before now, by whomever. */
export async function computeAnew(parts: ReaderParts, request: ReportRequest): Promise<Computed> {
  const { key } = entryIdOf(request)
  return parts.flight(key, () => claimAndCompute(parts, request), { anew: true })
}

async function claimAndCompute(parts: ReaderParts, request: ReportRequest): Promise<Computed> {
  const deadline = performance.now() + parts.leaseMs
  for (;;) {
    const claim = await claimEntry(parts, request)
    if (claim !== 'held') return computeAndWrite(parts, request, claim)
    if (performance.now() > deadline) return computeAndWrite(parts, request, null)
    await sleep(WAIT_STEP_MS)
  }
}

// Null when the store cannot be reached: the answer is then computed, and not kept.
async function claimEntry(
  parts: ReaderParts,
  request: ReportRequest,
): Promise<Claim | 'held' | null> {
  const [claim] = await parts.store.claim([entryIdOf(request)], parts.leaseMs).catch(() => [])
  return claim ?? null
}

// Another process computes this very entry. Its result is ours; when it fails or dies, we do it ourselves.
async function waitForOther(parts: ReaderParts, request: ReportRequest): Promise<Computed> {
  const deadline = performance.now() + parts.leaseMs
  while (performance.now() < deadline) {
    await sleep(WAIT_STEP_MS)
    const found = await lookUp(parts, request)
    if (found.state !== 'missing') return { entry: found.entry, databaseMs: 0 }
    const claim = await claimEntry(parts, request)
    if (claim !== 'held') return computeAndWrite(parts, request, claim)
  }
  return computeAndWrite(parts, request, null)
}

async function computeAndWrite(
  parts: ReaderParts,
  request: ReportRequest,
  claim: Claim | null,
): Promise<Computed> {
  try {
    const start = performance.now()
    const entry = await computeEntry(parts, request, claim)
    const databaseMs = performance.now() - start
    if (claim) await write(parts, claim, entry)
    return { entry, databaseMs }
  } catch (error) {
    if (claim) await parts.store.release([claim]).catch(() => undefined)
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
  const [result] = await parts.store.write([{ claim, entry, lifetimeMs }]).catch(() => [])
  if (result === 'written') parts.local.confirm(claim.id.key, entry)
  else
    parts.log.info('A computed entry was not kept.', {
      key: claim.id.key,
      result: result ?? 'unavailable',
    })
}
