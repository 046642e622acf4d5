// Entries for the tests of stores.
import type { Claim, Entry, EntryId } from '../engine/cache/index.ts'
import { HOUR } from '../engine/clock.ts'

export function entryId(tenant: string, report = 'crm:bundle', rest = 'include=true'): EntryId {
  return { key: `${report}:${tenant}:${rest}`, tenant, report }
}

/** An entry that is fresh for an hour. */
export function testEntry(
  { epochs, version }: Pick<Claim, 'epochs' | 'version'>,
  text = '{"n":1}',
): Entry {
  const now = Date.now()
  const header = {
    generatedAt: now,
    freshUntil: now + HOUR,
    expiresAt: now + HOUR,
    definition: 'v1',
    etag: '"1"',
    epochs,
    version,
  }
  return { header, body: Buffer.from(text) }
}
