// What lies in Redis beside the entries. The sets of keys only count entries and free memory. That a busted entry is never
// read again rests on the epochs alone, because `allkeys-lru` may evict a set at any time.
import type { EntryId } from './entry.ts'
import type { BustTarget, VersionId } from './store.ts'

/** The names of the sets of keys of all reports. */
export const REPORT_SETS = 'prewarm:keys:reports'

/** In the order of `Epochs`. */
export function epochKeys({ tenant, report }: EntryId): [string, string, string] {
  return [epochKey({ tenant }), epochKey({ report }), epochKey('all')]
}

export function epochKey(target: BustTarget): string {
  if (target === 'all') return 'prewarm:epoch:all'
  return 'tenant' in target
    ? `prewarm:epoch:tenant:${target.tenant}`
    : `prewarm:epoch:report:${target.report}`
}

export function versionKey({ tenant, report }: VersionId): string {
  return `prewarm:version:${report}:${tenant}`
}

export function leaseKey({ key }: EntryId): string {
  return `prewarm:lease:${key}`
}

export function keySet(target: Exclude<BustTarget, 'all'>): string {
  return 'tenant' in target
    ? `prewarm:keys:tenant:${target.tenant}`
    : `prewarm:keys:report:${target.report}`
}
