import type { Service } from '../service.ts'

export type Loop = Service & {
  start: () => void
  /** Ends the present pause, or leaves out the next one. */
  wake: () => void
}

/** Calls `round` again and again, never twice at the same time; it never rejects, and says how many milliseconds to pause. */
export function createLoop(round: () => Promise<number>): Loop {
  const stopping = new AbortController()
  let isWoken = false
  let endPause: (() => void) | undefined
  let running: Promise<void> | undefined

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, isWoken ? 0 : ms)
      endPause = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  const wake = (): void => {
    isWoken = true
    endPause?.()
  }
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      isWoken = false
      await pause(await round())
    }
  }
  return {
    start: () => {
      running ??= run()
    },
    wake,
    stop: async () => {
      stopping.abort()
      wake()
      await running
    },
  }
}
