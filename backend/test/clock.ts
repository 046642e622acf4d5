import type { Clock } from '../engine/clock.ts'

/** A clock that stands still until the test sets it. */
export function testClock(start: string): { clock: Clock; set: (time: string) => void } {
  let now = new Date(start)
  return {
    clock: () => now,
    set: (time) => {
      now = new Date(time)
    },
  }
}
