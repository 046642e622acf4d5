import type { Log } from '../engine/log.ts'

export type LogEntry = {
  level: keyof Log
  message: string
  details: Readonly<Record<string, unknown>>
}

/** A log that keeps its entries instead of printing them. */
export function testLog(): { log: Log; entries: LogEntry[] } {
  const entries: LogEntry[] = []
  const keep =
    (level: keyof Log) =>
    (message: string, details: LogEntry['details'] = {}) => {
      entries.push({ level, message, details })
    }
  const log = { error: keep('error'), warn: keep('warn'), info: keep('info'), debug: keep('debug') }
  return { log, entries }
}
