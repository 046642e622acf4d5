import { createHash } from 'node:crypto'
import type { Claim, Entry } from '../cache/index.ts'
import { MINUTE, SECOND } from '../clock.ts'
import {
  createMidnights,
  GLOBAL,
  type Midnights,
  type Scope,
  type Tenant,
} from '../tenancy/index.ts'
import type { InstalledReport } from './catalog.ts'
import { scopeName } from './request.ts'

export type MakeEntryOptions = {
  report: InstalledReport
  scope: Scope
  data: string
  /** Every tenant whose rows are in the answer: the first midnight among them is the horizon. */
  tenants: readonly Tenant[]
  /** Whether it was asked for by parameters or a drill-down, which nobody warms. */
  isRare?: boolean
  /** The epochs and the version that were present before the data was read. */
  claim: Pick<Claim, 'epochs' | 'version'>
  /** Whether a view that the report reads was behind its sources for one of these tenants. */
  waitsForView: boolean
  now: Date
}

export type EntryLifetimes = {
  /** The nominal hard lifetime; an entry's own differs from it by up to a tenth. */
  lifetimeMs: number
  /** How long an entry is fresh at most, though nothing that is known of has changed it. */
  freshMs: number
}

/** The body is the report's data with `meta` as its last member (a bare report has none), in the bytes that readers are sent. */
export type MakeEntry = (options: MakeEntryOptions) => Entry

export function createEntryMaker({ lifetimeMs, freshMs }: EntryLifetimes): MakeEntry {
  const nextMidnight = createMidnights()
  return ({ report, scope, data, tenants, isRare = false, claim, waitsForView, now }) => {
    const livesMs = isRare ? Math.min(lifetimeMs, RARE_LIFETIME_MS) : lifetimeMs
    const expiresAt = now.getTime() + jittered(livesMs)
    const { body, members } = report.isBare
      ? bareBody(data)
      : bodyOf(data, metaOf(scope, now, livesMs))
    const header = {
      generatedAt: now.getTime(),
      freshUntil: Math.min(
        now.getTime() + (report.isTracked ? freshMs : Math.min(freshMs, UNTRACKED_FRESH_MS)),
        report.changesAt === 'never' ? expiresAt : horizonOf(tenants, now, nextMidnight),
      ),
      expiresAt,
      definition: report.hash,
      etag: `W/"${createHash('sha1').update(members).digest('base64url')}"`,
      epochs: claim.epochs,
      version: claim.version,
      ...(waitsForView ? { waitsForView } : {}),
    }
    return { header, body }
  }
}

// There are as many of these as somebody cares to ask for, and they must not push out what everybody reads.
const RARE_LIFETIME_MS = 15 * MINUTE

// Nobody tells when such a report has changed.
const UNTRACKED_FRESH_MS = 5 * MINUTE

/** The share by which hard lifetimes differ, so that what was warmed together does not expire together. */
export const JITTER = 0.1

function jittered(lifetimeMs: number): number {
  return Math.round(lifetimeMs * (1 - JITTER + 2 * JITTER * Math.random()))
}

/** The next instant at which the clock alone changes a report about these tenants. */
function horizonOf(tenants: readonly Tenant[], now: Date, nextMidnight: Midnights): number {
  const zones = new Set(tenants.length > 0 ? tenants.map((tenant) => tenant.timezone) : ['UTC'])
  return Math.min(...Array.from(zones, (zone) => nextMidnight(now, zone).getTime()))
}

function metaOf(scope: Scope, now: Date, lifetimeMs: number): object {
  return {
    tenant_id: scope.tenantId === GLOBAL ? null : scope.tenantId,
    generated_at: now.toISOString(),
    ttl_seconds: Math.round(lifetimeMs / SECOND),
    scope: scopeName(scope),
  }
}

function bareBody(data: string): { body: Buffer; members: Buffer } {
  const body = Buffer.from(data)
  return { body, members: body }
}

/** In one piece of memory, because bodies are large; `members` is the part of it before `meta`. */
function bodyOf(data: string, meta: object): { body: Buffer; members: Buffer } {
  const open = data.trimEnd().slice(0, -1).trimEnd()
  const comma = open.endsWith('{') ? '' : ','
  const last = `${comma}"meta":${JSON.stringify(meta)}}`
  const openBytes = Buffer.byteLength(open)
  const body = Buffer.allocUnsafe(openBytes + Buffer.byteLength(last))
  body.write(open)
  body.write(last, openBytes)
  return { body, members: body.subarray(0, openBytes + comma.length) }
}
