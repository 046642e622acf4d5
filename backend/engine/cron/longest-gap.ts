import { nextSlot, parseSchedule } from './schedule.ts'

/** Enough slots to meet the weekend of a schedule for working days. */
const SLOTS = 10

/** The longest time in milliseconds between two of the next slots of a schedule. `timezone` is an IANA zone. */
export function longestGap(schedule: string, timezone: string, from: Date): number {
  const parsed = parseSchedule(schedule)
  let longest = 0
  let slot = nextSlot(parsed, timezone, from)
  for (let i = 0; i < SLOTS; i += 1) {
    const next = nextSlot(parsed, timezone, slot)
    longest = Math.max(longest, next.getTime() - slot.getTime())
    slot = next
  }
  return longest
}
