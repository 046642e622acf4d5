import type { Log } from './log.ts'
import { loggingOutages, type OutageLines } from './outages.ts'
import type { Service } from './service.ts'

export type Ticker = Service & { start(): void }

/** Does the work again and again, with a pause after each time. What fails is followed by the next time. */
export function createTicker(
  work: () => Promise<unknown>,
  { everyMs, log, lines }: { everyMs: number; log: Log; lines: OutageLines },
): Ticker {
  const safely = loggingOutages(lines, log)
  let timer: NodeJS.Timeout | undefined
  let beating = Promise.resolve()
  let isRunning = false
  const wait = (): void => {
    if (isRunning) timer = setTimeout(() => (beating = safely(work).then(wait)), everyMs)
  }
  return {
    start: () => {
      if (isRunning) return
      isRunning = true
      wait()
    },
    stop: async () => {
      isRunning = false
      clearTimeout(timer)
      await beating
    },
  }
}
