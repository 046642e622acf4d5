// The lines by which an operator sees whether dashboards are warm. A line that repeats within a second is printed once
// with its number, so that ten thousand hits a second do not cost ten thousand lines.
import type { Log } from '../engine/log.ts'
import type { InstalledReport } from '../engine/reports/index.ts'
import type { Service } from '../engine/service.ts'

export type CacheLog = Service & {
  hit(report: InstalledReport, key: string, source: string): void
  miss(report: InstalledReport, key: string): void
}

const FLUSH_MS = 1000

export function createCacheLog(log: Log): CacheLog {
  const repeats = new Map<string, number>()

  const flush = (): void => {
    for (const [line, times] of repeats) {
      repeats.delete(line)
      if (times > 0) log.info(`${line} ×${times}`)
    }
  }
  const timer = setInterval(flush, FLUSH_MS).unref()

  const print = (line: string): void => {
    const times = repeats.get(line)
    repeats.set(line, (times ?? -1) + 1)
    if (times === undefined) log.info(line)
  }

  return {
    hit: ({ alias }, key, source) => print(`[${alias}] Cache HIT key=${named(key)} (${source})`),
    miss: ({ alias }, key) => print(`[${alias}] Cache MISS key=${named(key)} (compute from db)`),
    stop: async () => {
      clearInterval(timer)
      flush()
    },
  }
}

// What people search for, names and telephone numbers, does not belong into a log.
function named(key: string): string {
  return key.replace(/:\?.*$/s, ':?…')
}
