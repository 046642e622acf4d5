import { isOutdated, stateOf, type Entry, type LocalEntries, type Store } from '../cache/index.ts'
import type { Clock } from '../clock.ts'
import { entryIdOf, type ReportRequest } from './request.ts'

export type LookUp =
  | { state: 'fresh'; entry: Entry }
  /** `isRenewable`: another computation would bring something new, and the last one was not just now. */
  | { state: 'stale'; entry: Entry; isRenewable: boolean }
  | { state: 'missing' }

export type LookUpParts = {
  store: Store
  local: LocalEntries
  clock: Clock
  /** How often at most an entry is computed because its data changed. */
  rewarmMs: number
}

/** A store that cannot be asked has nothing: the report is then computed from the database. */
export async function lookUp(parts: LookUpParts, request: ReportRequest): Promise<LookUp> {
  const id = entryIdOf(request)
  const confirm = parts.local.asking(id.key)
  const [found] = await parts.store.read([id]).catch(() => [])
  if (!found?.part) return { state: 'missing' }
  const { part: entry, ...present } = found
  const moment = { ...present, now: parts.clock().getTime(), definition: request.report.hash }
  const state = stateOf(entry.header, moment)
  if (state === 'missing') return { state }
  if (state === 'stale') return { state, entry, isRenewable: isRenewable(parts, entry, moment) }
  confirm(entry)
  return { state, entry }
}

function isRenewable(
  { rewarmMs }: LookUpParts,
  { header }: Entry,
  moment: Parameters<typeof isOutdated>[1],
): boolean {
  const isRested = moment.now >= Math.min(header.freshUntil, header.generatedAt + rewarmMs)
  return isOutdated(header, moment) && isRested
}
