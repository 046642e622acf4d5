// What the clocks on the walls of a zone show. A wall time is written as the milliseconds of the same
// date and time in UTC, so that wall times can be compared and counted without knowing the zone.
import { DAY, SECOND } from '../clock.ts'

export type WallClock = {
  /** The wall time at an instant, in whole seconds. */
  at(instant: number): number
  /**
   * The first instant at which the clocks show the wall time. If they never do, because they are put
   * forward over it, the instant at which they are put forward.
   */
  firstShowing(wall: number): number
}

/** Throws a RangeError for an unknown zone. */
export function wallClockOf(timezone: string): WallClock {
  const offsetAt = offsetIn(timezone)
  return {
    at: (instant) => instant + offsetAt(instant),
    firstShowing: (wall) => {
      const early = wall - offsetAt(wall - DAY)
      const late = wall - offsetAt(wall + DAY)
      const shown = [early, late].filter((instant) => instant + offsetAt(instant) === wall)
      return shown.length > 0 ? Math.min(...shown) : changeBetween(late, early, offsetAt)
    },
  }
}

/** The first instant of the new offset; the offset changes once between the two. */
function changeBetween(from: number, to: number, offsetAt: (instant: number) => number): number {
  const offset = offsetAt(from)
  let before = from
  let after = to
  while (after - before > SECOND) {
    const middle = before + Math.floor((after - before) / 2 / SECOND) * SECOND
    if (offsetAt(middle) === offset) before = middle
    else after = middle
  }
  return after
}

function offsetIn(timezone: string): (instant: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    calendar: 'iso8601',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  return (instant) => {
    const whole = Math.floor(instant / SECOND) * SECOND
    const shown: Record<string, number> = {}
    for (const { type, value } of format.formatToParts(whole)) shown[type] = Number(value)
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = shown
    return Date.UTC(year, month - 1, day, hour, minute, second) - whole
  }
}
