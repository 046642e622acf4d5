// The read flow: key → entry: fresh → bytes | stale → bytes now, one recomputation behind | missing → one computation.
import type { Entry, EntryId } from '../cache/index.ts'
import { PrewarmError } from '../errors.ts'
import { lookUp } from './look-up.ts'
import { computeAnew, computeMissing, renewStale, type ReaderParts } from './recompute.ts'
import { entryIdOf, type ReportRequest } from './request.ts'

export type CacheState = 'HIT' | 'MISS' | 'STALE' | 'BYPASS'

export type ReadResult = {
  cache: CacheState
  id: EntryId
  entry: Entry
  source: 'redis' | 'memory' | 'db'
  /** Milliseconds that the database took; null when it was not asked. */
  databaseMs: number | null
}

export type Reader = {
  /** With `bust` the cache is not read, and the entry is renewed. Rejects with `not_found`, `report_failed` or `unavailable`. */
  read: (request: ReportRequest, options: { bust: boolean }) => Promise<ReadResult>
  /** Resolves when no recomputation is under way behind a stale answer. */
  idle: () => Promise<void>
}

export function createReader(parts: ReaderParts): Reader {
  const behind = new Set<Promise<unknown>>()

  const renewBehind = (request: ReportRequest): void => {
    const work = renewStale(parts, request)
      .catch((error: unknown) => notRenewed(parts, request, error))
      .finally(() => behind.delete(work))
    behind.add(work)
  }

  return {
    read: async (request, { bust }) => {
      const id = entryIdOf(request)
      if (bust) return renew(parts, request)
      const copy = parts.local.trusted(id.key)
      if (copy) return answer('HIT', { id, entry: copy, source: 'memory' })
      const found = await lookUp(parts, request)
      if (found.state === 'missing') return miss(parts, request)
      if (found.state === 'stale' && found.isRenewable) renewBehind(request)
      return answer(found.state === 'fresh' ? 'HIT' : 'STALE', {
        id,
        entry: found.entry,
        source: parts.store.kind,
      })
    },
    idle: async () => void (await Promise.all(behind)),
  }
}

function answer(cache: CacheState, rest: Pick<ReadResult, 'id' | 'entry' | 'source'>): ReadResult {
  return { cache, ...rest, databaseMs: null }
}

async function notRenewed(parts: ReaderParts, request: ReportRequest, error: unknown) {
  parts.log.warn('A stale entry was not renewed.', { key: entryIdOf(request).key, error })
  // A tenant that is not active any more has no dashboards.
  if (isCallersFault(error))
    await parts.store.bust({ tenant: request.scope.tenantId }).catch(() => undefined)
}

async function miss(parts: ReaderParts, request: ReportRequest): Promise<ReadResult> {
  const { isStale, ...computed } = await computeMissing(parts, request)
  const cache = isStale ? 'STALE' : 'MISS'
  return { cache, id: entryIdOf(request), source: 'db', ...computed }
}

// Whoever asks for new numbers while they cannot be had is given the last good ones, marked stale.
async function renew(parts: ReaderParts, request: ReportRequest): Promise<ReadResult> {
  const id = entryIdOf(request)
  parts.local.forget(id.key)
  try {
    const { entry, databaseMs } = await computeAnew(parts, request)
    const cache = entry.header.waitsForView ? 'STALE' : 'BYPASS'
    return { cache, id, source: 'db', entry, databaseMs }
  } catch (error) {
    const found = await lookUp(parts, request)
    if (found.state === 'missing' || isCallersFault(error)) throw error
    parts.log.error('A report could not be renewed; its last good entry is served.', {
      key: id.key,
      error,
    })
    return answer('STALE', { id, entry: found.entry, source: parts.store.kind })
  }
}

function isCallersFault(error: unknown): boolean {
  return error instanceof PrewarmError && error.status < 500
}
