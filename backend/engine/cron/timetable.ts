import type { Log } from '../log.ts'
import type { SlotAfter } from './due.ts'
import { nextSlot, parseSchedule, type Schedule } from './schedule.ts'
import { checkTimezone, isTimezone, TENANT_ZONE } from './timezone.ts'

export type Timetable = {
  /**
   * When a job is due: the union of the slots in all its zones. Throws a bad request for a wrong
   * schedule or zone.
   */
  slotsOf(job: { schedule: string; timezone: string; zones: readonly string[] }): SlotAfter
}

const REMEMBERED = 1000

/** Remembers parsed schedules and the next slot in each zone, because every tick asks again. */
export function createTimetable(log: Log): Timetable {
  const schedules = new Map<string, Schedule>()
  const unknownZones = new Set<string>()

  const scheduleOf = (text: string): Schedule => {
    const schedule = schedules.get(text) ?? parseSchedule(text)
    if (schedules.size >= REMEMBERED) schedules.clear()
    schedules.set(text, schedule)
    return schedule
  }
  const isKnown = (zone: string): boolean => {
    if (isTimezone(zone)) return true
    if (!unknownZones.has(zone)) {
      log.error('Tenants of an unknown time zone are left out of jobs in tenant time.', { zone })
    }
    unknownZones.add(zone)
    return false
  }
  return {
    slotsOf: ({ schedule: text, timezone, zones }) => {
      const schedule = scheduleOf(text)
      checkTimezone(timezone)
      const known = timezone === TENANT_ZONE ? zones.filter(isKnown) : zones
      return (after) => earliest(known.map((zone) => nextSlot(schedule, zone, after)))
    },
  }
}

function earliest(slots: readonly Date[]): Date | undefined {
  return slots.length === 0 ? undefined : new Date(Math.min(...slots.map((slot) => slot.getTime())))
}
