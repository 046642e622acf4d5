// The only node-cron import. It keeps the beat and nothing else: when a job is due is decided from its row.
import { createTask, type Logger } from 'node-cron'
import type { Log } from '../log.ts'
import { loggingOutages } from '../outages.ts'
import type { Service } from '../service.ts'

export type Heartbeat = Service & { start(): Promise<void> }

const EVERY_5_SECONDS = '*/5 * * * * *'

/** Calls `tick` every 5 seconds, never twice at the same time. A tick that fails is followed by the next one. */
export function createHeartbeat(tick: () => Promise<void>, log: Log): Heartbeat {
  const safely = loggingOutages(TICKING, log)
  let beating = Promise.resolve()
  const task = createTask(EVERY_5_SECONDS, () => (beating = safely(tick)), {
    name: 'heartbeat',
    timezone: 'UTC',
    noOverlap: true,
    logger: quiet(log),
  })
  return {
    start: async () => task.start(),
    stop: async () => {
      await task.destroy()
      await beating
    },
  }
}

// While the database is away every tick fails.
export const TICKING = {
  failed: 'A tick of the scheduler failed; the next ones try again.',
  works: 'The scheduler works again.',
}

// A tick that takes longer than the interval is no reason for a warning every five seconds.
function quiet(log: Log): Logger {
  const say = (message: string | Error, error?: Error) =>
    log.debug('node-cron', { said: message, error })
  return { info: say, warn: say, debug: say, error: say }
}
