// When a view is refreshed without being asked. Decided from its row of `view_state`, whose times are the database's, as
// is `now`: what a view shows of the day is what the database's clock said.
import { SECOND } from '../clock.ts'
import type { RefreshPolicy } from '../domain.ts'
import { PrewarmError } from '../errors.ts'

export type PolicyFacts = {
  now: Date
  lastSuccessAt: Date
  /** Whether a new day has begun since then for some tenant. */
  isNewDay: boolean
}

/** Why the view is to be refreshed now; empty if it is not. Changes and events ask when they happen. */
export function dueReasons(
  policies: readonly RefreshPolicy[],
  { now, lastSuccessAt, isNewDay }: PolicyFacts,
): string[] {
  const age = now.getTime() - lastSuccessAt.getTime()
  const reasons = policies.flatMap((policy) => {
    if ('atLocalMidnight' in policy) return isNewDay ? ['midnight'] : []
    if (!('everySeconds' in policy)) return []
    return age >= policy.everySeconds * SECOND && isWithin(policy, now) ? ['interval'] : []
  })
  return [...new Set(reasons)]
}

type Window = { from?: string; to?: string; timezone?: string }

/** From `from` on and before `to`, as the clocks on the walls of the zone show it; over midnight if `to` is the earlier one. */
function isWithin({ from = '00:00', to = '24:00', timezone = 'UTC' }: Window, now: Date): boolean {
  const time = timeOfDay(now, timezone)
  if (from === to) return true
  return from < to ? from <= time && time < to : from <= time || time < to
}

function timeOfDay(now: Date, timezone: string): string {
  return clockOf(timezone).format(now)
}

function clockOf(timezone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-GB', {
    timeZone: timezone,
    hourCycle: 'h23',
    hour: '2-digit',
    minute: '2-digit',
  })
}

const TIME_OF_DAY = /^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$/

/** Throws `bad_configuration` for a policy that could never be followed. */
export function checkPolicy(view: string, policy: RefreshPolicy): void {
  const refuse = (what: string): never => {
    throw new PrewarmError('bad_configuration', `The view ${view} is refreshed ${what}.`)
  }
  if ('debounceSeconds' in policy && !(policy.debounceSeconds >= 0))
    refuse(`${policy.debounceSeconds} s after a change, which is no time`)
  if (!('everySeconds' in policy)) return
  const { everySeconds, from = '00:00', to = '24:00', timezone = 'UTC' } = policy
  if (!(everySeconds > 0)) refuse(`every ${everySeconds} s, which is no interval`)
  const time = [from, to].find((each) => !TIME_OF_DAY.test(each))
  if (time !== undefined) refuse(`at "${time}", which is no time of day such as 06:00`)
  if (!isZone(timezone)) refuse(`in the zone "${timezone}", which is no IANA zone`)
}

function isZone(timezone: string): boolean {
  try {
    clockOf(timezone)
    return true
  } catch {
    return false
  }
}
