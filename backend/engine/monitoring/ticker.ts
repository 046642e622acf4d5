import type { Log } from '../log.ts'
import type { Service } from '../service.ts'

export type Ticker = Service & { start(): void }

export type TickerOptions = { everyMs: number; log: Log; /** For log lines. */ name: string }

/**
 * Does the work again and again, with a pause after each time. What fails is followed by the next time; while it keeps failing,
 * as when the database is away, the log says so once.
 */
export function createTicker(
  work: () => Promise<unknown>,
  { everyMs, log, name }: TickerOptions,
): Ticker {
  const beat = loggedOncePerOutage(work, { log, name })
  let timer: NodeJS.Timeout | undefined
  let beating = Promise.resolve()
  let isRunning = false
  const wait = (): void => {
    if (isRunning) timer = setTimeout(() => (beating = beat().then(wait)), everyMs)
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

function loggedOncePerOutage(
  work: () => Promise<unknown>,
  { log, name }: { log: Log; name: string },
): () => Promise<void> {
  let isFailing = false
  return async () => {
    try {
      await work()
      if (isFailing) log.info(`${name} works again.`)
      isFailing = false
    } catch (error) {
      if (!isFailing) log.error(`${name} failed; it is tried again.`, { error })
      isFailing = true
    }
  }
}
