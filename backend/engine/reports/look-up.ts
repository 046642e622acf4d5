import {
  stateOf,
  type Entry,
  type EntryState,
  type LocalEntries,
  type Store,
} from '../cache/index.ts'
import type { Clock } from '../clock.ts'
import { entryIdOf, type ReportRequest } from './request.ts'

export type LookUp = { state: Exclude<EntryState, 'missing'>; entry: Entry } | { state: 'missing' }

/** A store that cannot be asked has nothing: the report is then computed from the database. */
export async function lookUp(
  parts: { store: Store; local: LocalEntries; clock: Clock },
  request: ReportRequest,
): Promise<LookUp> {
  const id = entryIdOf(request)
  const confirm = parts.local.asking(id.key)
  const [found] = await parts.store.read([id]).catch(() => [])
  if (!found?.part) return { state: 'missing' }
  const now = parts.clock().getTime()
  const definition = request.report.hash
  const state = stateOf(found.part.header, { now, epochs: found.epochs, definition })
  if (state === 'fresh') confirm(found.part)
  return state === 'missing' ? { state } : { state, entry: found.part }
}
