import type { Log } from '../log.ts'
import type { Service } from '../service.ts'
import { loggingOutages } from '../outages.ts'
import { rewarmBatch, type RewarmParts } from './rewarm.ts'

export type Rewarmer = Service & {
  /** Warms what is due, behind, unless that is under way. */
  wake: () => void
  /** Warms what is due, and returns how many entries that were. */
  run: () => Promise<number>
}

const REWARMING = {
  failed: 'Warming again what changed failed; it is tried again and again.',
  works: 'Warming again what changed works again.',
}

export function createRewarmer(parts: RewarmParts, log: Log): Rewarmer {
  const stopping = new AbortController()
  const safely = loggingOutages(REWARMING, log)
  let underWay: Promise<unknown> | undefined

  const run = async (): Promise<number> => {
    let renewed = 0
    for (;;) {
      const count = await rewarmBatch(parts, stopping.signal)
      if (count === 0 || stopping.signal.aborted) return renewed
      renewed += count
    }
  }
  return {
    run,
    wake: () => {
      underWay ??= safely(run).finally(() => {
        underWay = undefined
      })
    },
    stop: async () => {
      stopping.abort()
      await underWay
    },
  }
}
