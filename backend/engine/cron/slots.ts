// When a pattern is due in a zone. Two kinds of patterns meet a change of the clocks differently:
// one that names times of day (`30 2 * * *`) is due once for each of them on every local day: when the
// clocks are put forward over it, at that moment; when they show it twice, the first time. One that
// names an interval (`*/15 * * * *`) goes by the hours that really pass.
import { Cron } from 'croner'
import { type WallClock, wallClockOf } from './wall-clock.ts'

export type Slots = {
  /** The first slot after `after`, exclusive. Throws a RangeError for an unknown zone. */
  after(after: Date, timezone: string): Date
}

type SlotAfter = (after: number) => number
type Known = { slotAfter: SlotAfter; from: number; next: number }

export function slotsOf(pattern: string): Slots {
  const zones = new Map<string, Known>()
  return {
    after: (after, timezone) => {
      const time = after.getTime()
      const known = zones.get(timezone)
      if (known !== undefined && known.from <= time && time < known.next)
        return new Date(known.next)
      const slotAfter = known?.slotAfter ?? slotAfterIn(pattern, timezone)
      const next = slotAfter(time)
      zones.set(timezone, { slotAfter, from: time, next })
      return new Date(next)
    },
  }
}

function slotAfterIn(pattern: string, timezone: string): SlotAfter {
  const wallClock = wallClockOf(timezone)
  return namesTimesOfDay(pattern) ? byTheWall(pattern, wallClock) : byTheHour(pattern, timezone)
}

function namesTimesOfDay(pattern: string): boolean {
  const [hour = '*', ...smaller] = pattern.split(' ').slice(0, -3).toReversed()
  return !['*', '*/1', '?'].includes(hour) && smaller.every((field) => /^[\d,-]+$/.test(field))
}

// Counted on the wall, where no hour is missing, and brought to the zone afterwards: croner in the zone
// itself leaves out 23:30 on the days on which Nuuk's clocks go from 22:59 to 00:00.
function byTheWall(pattern: string, wallClock: WallClock): SlotAfter {
  const wallTimeAfter = byTheHour(pattern, 'UTC')
  return (after) => {
    let wall = wallClock.at(after)
    let slot = after
    while (slot <= after) {
      wall = wallTimeAfter(wall)
      slot = wallClock.firstShowing(wall)
    }
    return slot
  }
}

function byTheHour(pattern: string, timezone: string): SlotAfter {
  const cron = new Cron(pattern, { mode: '5-or-6-parts', paused: true, timezone })
  return (after) => {
    const next = cron.nextRun(new Date(after))
    if (next === null) throw new RangeError(`The pattern "${pattern}" has no date after ${after}.`)
    return next.getTime()
  }
}
