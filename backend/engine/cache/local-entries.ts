// A short-lived copy of what Redis answered, inside the process. Within `trustMs` of the last look at the store an entry
// is served without asking again; that is also how long another process may not see that it was busted.
import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
import type { Entry } from './entry.ts'

export type LocalEntries = {
  /** The entry, if it was confirmed within the last `trustMs` and has not reached its horizon. */
  trusted: (key: string) => Entry | undefined
  /** Takes an entry that the store has just confirmed to be fresh. */
  confirm(key: string, entry: Entry): void
  forget(key: string): void
  forgetAll(): void
}

type Copy = { entry: Entry; until: number }

export function createLocalEntries({
  maxBytes,
  trustMs,
  clock,
}: {
  maxBytes: number
  trustMs: number
  clock: Clock
}): LocalEntries {
  const copies = new LRUCache<string, Copy>({
    maxSize: maxBytes,
    sizeCalculation: ({ entry }) => entry.body.length + 1,
  })
  return {
    trusted: (key) => {
      const copy = copies.get(key)
      return copy && clock().getTime() < copy.until ? copy.entry : undefined
    },
    confirm: (key, entry) => {
      const until = Math.min(
        clock().getTime() + trustMs,
        entry.header.freshUntil,
        entry.header.expiresAt,
      )
      copies.set(key, { entry, until })
    },
    forget: (key) => void copies.delete(key),
    forgetAll: () => copies.clear(),
  }
}
