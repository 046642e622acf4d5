import type { Log } from './log.ts'

/** What the log says when repeated work begins to fail, and when it no longer does. */
export type OutageLines = { failed: string; works: string }

/**
 * Does work that is repeated anyway. While something is away each repetition fails; the log says so at the first one, and when it is
 * over.
 */
export function loggingOutages(
  { failed, works }: OutageLines,
  log: Log,
): (work: () => Promise<unknown>) => Promise<void> {
  let isFailing = false
  return async (work) => {
    try {
      await work()
      if (isFailing) log.info(works)
      isFailing = false
    } catch (error) {
      if (!isFailing) log.error(failed, { error })
      isFailing = true
    }
  }
}
