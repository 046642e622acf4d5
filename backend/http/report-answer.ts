// How a cached report becomes an answer: the envelope around the entry's bytes, and the headers.
import { LRUCache } from 'lru-cache'
import type { Entry } from '../engine/cache/index.ts'
import type { CacheState, InstalledReport, ReadResult } from '../engine/reports/index.ts'

/** Widgets of the one cached bundle that the answer is to show; null shows everything. */
export type Widgets = readonly string[] | null

/** Of what the answer is made, beside the entry. */
export type Look = { report: InstalledReport; widgets: Widgets; isBare: boolean }

const PREFIX = Buffer.from('{"status":"success","data":')
const CACHED = Buffer.from(',"cached":true}')

/** The bytes of hits, by entry, widgets and envelope: what is sent most often is put together once. */
export type Payloads = LRUCache<Entry, ReadonlyMap<string, Buffer>>

export function createPayloads(maxBytes: number): Payloads {
  return new LRUCache({ maxSize: maxBytes, sizeCalculation: sizeOf })
}

function sizeOf(payloads: ReadonlyMap<string, Buffer>, { body }: Entry): number {
  return body.length + Array.from(payloads.values()).reduce((sum, { length }) => sum + length, 0)
}

export function hitPayload(payloads: Payloads, entry: Entry, look: Look): Buffer {
  const { widgets, isBare } = look
  if (isBare && widgets === null) return entry.body
  const ofEntry = payloads.get(entry)
  const name = `${isBare} ${widgets?.join() ?? ''}`
  const known = ofEntry?.get(name)
  if (known) return known
  const body = bodyOf(look, entry)
  const payload = isBare ? body : Buffer.concat([PREFIX, body, CACHED])
  payloads.set(entry, new Map(ofEntry).set(name, payload))
  return payload
}

/** An answer that was computed; `profile` tells how long the database took. */
export function missPayload(
  { entry, databaseMs }: ReadResult,
  look: Look & { profile: boolean },
): Buffer {
  const { report, isBare, profile } = look
  const body = bodyOf(look, entry)
  if (isBare) return body
  const times = profile ? `,"profile":${JSON.stringify(profileOf(report, databaseMs ?? 0))}` : ''
  return Buffer.concat([PREFIX, body, Buffer.from(`,"cached":false${times}}`)])
}

function profileOf({ name }: InstalledReport, databaseMs: number): object {
  const time = `${Math.round(databaseMs)}ms`
  return { queryTimes: { [name]: time }, totalQueries: 1, slowestQuery: name, totalDbTime: time }
}

function bodyOf({ report, widgets }: Look, { body }: Entry): Buffer {
  if (widgets === null) return body
  const data: unknown = JSON.parse(body.toString())
  for (const path of hiddenPaths(report, widgets)) empty(data, path.split('.'))
  return Buffer.from(JSON.stringify(data))
}

/** The parts that some widget shows, but none of those that were asked for. */
function hiddenPaths({ widgets = {} }: InstalledReport, asked: readonly string[]): string[] {
  const shown = new Set(asked.flatMap((widget) => widgets[widget] ?? []))
  return [...new Set(Object.values(widgets).flat())].filter((path) => !shown.has(path))
}

function empty(data: unknown, [name, ...rest]: readonly string[]): void {
  if (!isObject(data) || name === undefined || !(name in data)) return
  if (rest.length > 0) empty(data[name], rest)
  else data[name] = Array.isArray(data[name]) ? [] : {}
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

export function etagOf({ header }: Entry, widgets: Widgets): string {
  return widgets === null ? header.etag : header.etag.replace(/"$/, `-${widgets.join('-')}"`)
}

/** Whether the caller has this very answer already (weak comparison of RFC 9110). */
export function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  if (ifNoneMatch.trim() === '*') return true
  return ifNoneMatch.split(',').some((tag) => opaque(tag) === opaque(etag))
}

function opaque(tag: string): string {
  return tag.trim().replace(/^W\//, '')
}

/** The headers that depend on the moment. `ttl` of Cache-Status is what is left of freshness, in seconds (RFC 9211). */
export function momentHeaders(
  cache: CacheState,
  { header }: Entry,
  now: number,
): Record<string, string> {
  const age = Math.max(0, Math.floor((now - header.generatedAt) / 1000))
  const ttl = Math.floor((header.freshUntil - now) / 1000)
  const status = {
    HIT: `hit; ttl=${ttl}`,
    STALE: `hit; ttl=${ttl}`,
    MISS: 'fwd=miss',
    BYPASS: 'fwd=request',
  }
  return { age: String(age), 'cache-status': `Prewarm; ${status[cache]}` }
}

/** `databaseMs` is null when the database was not asked. */
export function timing(cache: CacheState, databaseMs: number | null, totalMs: number): string {
  const database = databaseMs === null ? '' : `db;dur=${databaseMs.toFixed(1)}, `
  return `cache;desc="${cache}", ${database}total;dur=${totalMs.toFixed(1)}`
}
