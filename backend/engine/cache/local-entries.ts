// A short-lived copy of what Redis answered, inside the process. Within `trustMs` of the last look at the store an entry
// is served without asking again; that is also how long another process may not see that it was busted.
import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
import type { Entry } from './entry.ts'

export type LocalEntries = {
  /** The entry, if it was confirmed within the last `trustMs` and has not reached its horizon. */
  trusted: (key: string) => Entry | undefined
  /**
   * To be called before the store is asked. What it returns takes the entry that the store then confirmed to be fresh; but
   * not if entries were forgotten in between, because the answer may be older than that.
   */
  asking(key: string): (entry: Entry) => void
  forget(key: string): void
  forgetAll(): void
}

export type LocalEntriesOptions = { maxBytes: number; trustMs: number; clock: Clock }

type Copy = { entry: Entry; until: number }

export function createLocalEntries(options: LocalEntriesOptions): LocalEntries {
  const { maxBytes, trustMs, clock } = options
  const copies = new LRUCache<string, Copy>({
    maxSize: maxBytes,
    sizeCalculation: ({ entry }) => entry.body.length + 1,
  })
  let timesForgotten = 0

  const confirm = (key: string, entry: Entry): void => {
    const { generatedAt, freshUntil, expiresAt } = entry.header
    if ((copies.peek(key)?.entry.header.generatedAt ?? 0) > generatedAt) return
    const until = Math.min(clock().getTime() + trustMs, freshUntil, expiresAt)
    copies.set(key, { entry, until })
  }

  return {
    trusted: (key) => {
      const copy = copies.get(key)
      return copy && clock().getTime() < copy.until ? copy.entry : undefined
    },
    asking: (key) => {
      const before = timesForgotten
      return (entry) => {
        if (before === timesForgotten) confirm(key, entry)
      }
    },
    forget: (key) => {
      timesForgotten += 1
      copies.delete(key)
    },
    forgetAll: () => {
      timesForgotten += 1
      copies.clear()
    },
  }
}
