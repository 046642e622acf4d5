import { SECOND } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Service } from '../service.ts'

export type Ticker = Service & { start(): void }

/** Calls `tick` every second, never twice at the same time. Of failures that follow one another the first is logged. */
export function createTicker(tick: () => Promise<void>, log: Log): Ticker {
  let timer: NodeJS.Timeout | undefined
  let ticking: Promise<void> | undefined
  let isFailing = false
  const attempt = async (): Promise<void> => {
    try {
      await tick()
      if (isFailing) log.info('Views are planned again.')
      isFailing = false
    } catch (error) {
      if (!isFailing) log.error('Views could not be planned; it is tried again.', { error })
      isFailing = true
    }
  }
  const beat = (): void => {
    ticking ??= attempt().finally(() => (ticking = undefined))
  }
  return {
    start: () => {
      timer ??= setInterval(beat, SECOND)
    },
    stop: async () => {
      clearInterval(timer)
      await ticking
    },
  }
}
