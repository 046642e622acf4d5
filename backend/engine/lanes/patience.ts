import { SECOND } from '../clock.ts'
import { PrewarmError } from '../errors.ts'

export type Patience = {
  /** Aborted when nothing has happened for too long. */
  over: AbortSignal
  renew(): void
  end(): void
}

/** Whoever waits learns neither that the queue is away nor that nobody works on it, only that nothing happens. */
export function startPatience(ms: number | undefined): Patience {
  const over = new AbortController()
  const giveUp = (): void => over.abort(nothingHappens(ms ?? 0))
  const timer = ms === undefined ? undefined : setTimeout(giveUp, ms)
  return {
    over: over.signal,
    renew: () => void timer?.refresh(),
    end: () => clearTimeout(timer),
  }
}

function nothingHappens(ms: number): PrewarmError {
  const message = `Nothing has happened on the lanes for ${ms / SECOND} seconds.`
  return new PrewarmError('unavailable', message)
}
