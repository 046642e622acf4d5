import { HOUR, MINUTE } from '../clock.ts'

/**
 * The first instant after `now` at which the local date in `timezone` (an IANA zone) is another one.
 * Found by bisection over the zone's own calendar, so that days of 23 and 25 hours, midnights that do
 * not exist and midnights that come twice need no rule. Throws a RangeError for an unknown zone.
 */
export function nextLocalMidnight(now: Date, timezone: string): Date {
  const localDate = dateIn(timezone)
  const today = localDate(now.getTime())
  let before = now.getTime()
  let after = before + HOUR
  while (localDate(after) === today) after += HOUR
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2)
    if (localDate(middle) === today) before = middle
    else after = middle
  }
  return new Date(after)
}

function dateIn(timezone: string): (time: number) => string {
  const format = new Intl.DateTimeFormat('en-CA', { timeZone: timezone, dateStyle: 'short' })
  return (time) => format.format(time)
}

/**
 * As `nextLocalMidnight`, remembering for each zone the midnight that is still to come. PostgreSQL knows zones that this
 * runtime does not; there it may be midnight at any full quarter of an hour, so the next one is given.
 */
export type Midnights = (now: Date, timezone: string) => Date

export function createMidnights(): Midnights {
  const known = new Map<string, { from: Date; midnight: Date }>()
  return (now, timezone) => {
    const last = known.get(timezone)
    if (last && last.from <= now && now < last.midnight) return last.midnight
    const midnight = isKnown(timezone) ? nextLocalMidnight(now, timezone) : nextQuarter(now)
    known.set(timezone, { from: now, midnight })
    return midnight
  }
}

function isKnown(timezone: string): boolean {
  try {
    dateIn(timezone)
    return true
  } catch {
    return false
  }
}

function nextQuarter(now: Date): Date {
  const quarter = 15 * MINUTE
  return new Date((Math.floor(now.getTime() / quarter) + 1) * quarter)
}
