import { SECOND } from '../clock.ts'
import { PrewarmError } from '../errors.ts'

export type Patience = {
  /** Aborted when nothing has happened for too long. */
  over: AbortSignal
  /** Something has happened. */
  renew(): void
  /** As long as somebody is at work, something may happen yet. */
  look(isBusy: boolean): void
  end(): void
}

export type PatienceMs = { busyMs: number; idleMs: number }

/** Whoever waits learns neither that the queue is away nor that nobody works on it, only that nothing happens. */
export function startPatience({ busyMs, idleMs }: PatienceMs): Patience {
  const over = new AbortController()
  let since = performance.now()
  let timer: NodeJS.Timeout | undefined
  const wait = (ms: number): void => {
    clearTimeout(timer)
    const giveUp = (): void => over.abort(nothingHappens(ms))
    if (Number.isFinite(ms)) timer = setTimeout(giveUp, since + ms - performance.now())
  }
  wait(idleMs)
  return {
    over: over.signal,
    renew: () => {
      since = performance.now()
    },
    look: (isBusy) => wait(isBusy ? busyMs : idleMs),
    end: () => clearTimeout(timer),
  }
}

function nothingHappens(ms: number): PrewarmError {
  const message = `Nothing has happened on the lanes for ${ms / SECOND} seconds.`
  return new PrewarmError('unavailable', message)
}
