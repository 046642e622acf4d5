import type { Log } from '../log.ts'

/**
 * Does work that is repeated anyway. While something is away each repetition fails; the log says so at the first one, and when it is
 * over.
 */
export function loggingOutages(
  what: string,
  log: Log,
): (work: () => Promise<unknown>) => Promise<void> {
  let isFailing = false
  return async (work) => {
    try {
      await work()
      if (isFailing) log.info(`${what} works again.`)
      isFailing = false
    } catch (error) {
      if (!isFailing) log.error(`${what} failed; it is tried again and again.`, { error })
      isFailing = true
    }
  }
}
