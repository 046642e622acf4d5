/** Names one entry. `tenant` is a tenant's id or `SUPERADMIN_GLOBAL`, `report` is `DOMAIN:REPORT`; both are what busting goes by. */
export type EntryId = { key: string; tenant: string; report: string }

/**
 * The random names of the present epoch of the tenant, the report and the whole cache, in this order.
 * Busting starts a new epoch. An entry of another epoch is not an entry any more, whatever index of it was lost.
 */
export type Epochs = readonly [tenant: string, report: string, all: string]

/** The present epochs; null where the store has none (evicted, or a new Redis). */
export type EpochNames = readonly [string | null, string | null, string | null]

/** What an entry is compared with. The version is that of its report and tenant, and moves when data of theirs changed. */
export type Present = { epochs: EpochNames; version: string | null }

export type EntryHeader = {
  /** Milliseconds since 1970, as all instants here. The moment that the answer speaks of. */
  generatedAt: number
  /** The horizon: from here on the clock alone may have changed the answer. */
  freshUntil: number
  /** The end of the hard lifetime. */
  expiresAt: number
  /** A hash of the report's definition; an entry of another definition is not used. */
  definition: string
  etag: string
  epochs: Epochs
  /** The one that was present before the data was read. */
  version: string
  /** It shows a view that was behind its sources: stale from birth, and no better if it were computed again. */
  waitsForView?: true
}

export type Entry = { header: EntryHeader; body: Buffer }

export type EntryState = 'fresh' | 'stale' | 'missing'

export type Moment = Present & { now: number; definition: string }

/** What an entry is worth at `now`. An epoch or version that is not known (null) counts as moved. */
export function stateOf(header: EntryHeader, moment: Moment): EntryState {
  const { now, epochs, definition } = moment
  if (header.definition !== definition || now >= header.expiresAt) return 'missing'
  if (header.epochs.some((epoch, i) => epoch !== epochs[i])) return 'missing'
  return isOutdated(header, moment) || header.waitsForView ? 'stale' : 'fresh'
}

/** Whether a computation now would, for all that is known, give another answer than the entry's. */
export function isOutdated(
  { freshUntil, version }: EntryHeader,
  present: Pick<Moment, 'now' | 'version'>,
): boolean {
  return present.now >= freshUntil || present.version !== version
}

const LINE_END = 0x0a

/** The header as one line of JSON, then the body: both can be read in `redis-cli`. */
export function encodeEntry({ header, body }: Entry): Buffer {
  return Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), body])
}

/** Undefined for bytes that no version of this program wrote. */
export function decodeEntry(bytes: Buffer): Entry | undefined {
  const header = decodeHeader(bytes)
  return header && { header, body: bytes.subarray(bytes.indexOf(LINE_END) + 1) }
}

export function decodeHeader(bytes: Buffer): EntryHeader | undefined {
  const end = bytes.indexOf(LINE_END)
  if (end === -1) return undefined
  try {
    const header: unknown = JSON.parse(bytes.toString('utf8', 0, end))
    return isHeader(header) ? header : undefined
  } catch {
    return undefined
  }
}

function isHeader(value: unknown): value is EntryHeader {
  if (typeof value !== 'object' || value === null) return false
  const numbers = ['generatedAt', 'freshUntil', 'expiresAt'] as const
  const fields = value as Partial<Record<keyof EntryHeader, unknown>>
  return (
    numbers.every((name) => typeof fields[name] === 'number') &&
    typeof fields.definition === 'string' &&
    typeof fields.etag === 'string' &&
    typeof fields.version === 'string' &&
    Array.isArray(fields.epochs)
  )
}
