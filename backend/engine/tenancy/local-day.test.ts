import { describe, expect, test } from 'vitest'
import { DAY, HOUR, MINUTE } from '../clock.ts'
import { createMidnights, nextLocalMidnight } from './index.ts'

const YEAR = { from: Date.parse('2026-01-01T00:00:00Z'), to: Date.parse('2027-01-01T00:00:00Z') }
const ZONES = Intl.supportedValuesOf('timeZone')

describe('the next local midnight', () => {
  test.each([
    ['UTC', '2026-03-10T12:00:00Z', '2026-03-11T00:00:00.000Z'],
    ['UTC', '2026-03-10T00:00:00Z', '2026-03-11T00:00:00.000Z'],
    ['UTC', '2026-03-09T23:59:59.999Z', '2026-03-10T00:00:00.000Z'],
    ['Asia/Kathmandu', '2026-03-10T12:00:00Z', '2026-03-10T18:15:00.000Z'],
    ['Pacific/Kiritimati', '2026-03-10T12:00:00Z', '2026-03-11T10:00:00.000Z'],
    ['Pacific/Niue', '2026-03-10T12:00:00Z', '2026-03-11T11:00:00.000Z'],
    // Days of 23 and of 25 hours.
    ['Europe/Berlin', '2026-03-28T23:00:00Z', '2026-03-29T22:00:00.000Z'],
    ['Europe/Berlin', '2026-10-24T22:00:00Z', '2026-10-25T23:00:00.000Z'],
    // The clocks go from 23:59 to 01:00: this day has no midnight.
    ['Africa/Cairo', '2026-04-23T12:00:00Z', '2026-04-23T22:00:00.000Z'],
    // They go from 24:00 back to 23:00: it is not tomorrow yet.
    ['America/Santiago', '2026-04-04T12:00:00Z', '2026-04-05T04:00:00.000Z'],
    // They show midnight twice; the day has begun with the first.
    ['America/Havana', '2026-10-31T12:00:00Z', '2026-11-01T04:00:00.000Z'],
    ['America/Havana', '2026-11-01T04:30:00Z', '2026-11-02T05:00:00.000Z'],
    // A day that never was.
    ['Pacific/Apia', '2011-12-30T09:00:00Z', '2011-12-30T10:00:00.000Z'],
  ])('in %s after %s is %s', (zone, now, midnight) => {
    expect(nextLocalMidnight(new Date(now), zone).toISOString()).toBe(midnight)
  })

  test('is, in every zone and around every change of its clocks, what going through the quarters of hours finds', () => {
    const wrong: string[] = []
    let compared = 0
    for (const zone of ZONES) {
      const offsetAt = offsetsOf(zone)
      const changes = changesOf(offsetAt)
      for (const now of instantsAround([YEAR.from, ...changes])) {
        compared += 1
        const found = nextLocalMidnight(new Date(now), zone).toISOString()
        if (found !== byQuarters(now, offsetAt)) wrong.push(`${zone} after ${now}: ${found}`)
      }
    }
    expect(wrong).toEqual([])
    expect(compared).toBeGreaterThan(5 * ZONES.length)
  })

  test('in an unknown zone is an error', () => {
    expect(() => nextLocalMidnight(new Date(), 'Mars/Olympus')).toThrow(RangeError)
  })
})

describe('midnights', () => {
  test('are remembered until they are over', () => {
    const midnights = createMidnights()
    const at = (time: string): Date => midnights(new Date(time), 'Asia/Tokyo')
    const midnight = at('2026-03-10T12:00:00Z')
    expect(midnight.toISOString()).toBe('2026-03-10T15:00:00.000Z')
    expect(at('2026-03-10T14:59:59.999Z')).toBe(midnight)
    expect(at('2026-03-10T15:00:00Z').toISOString()).toBe('2026-03-11T15:00:00.000Z')
    expect(at('2026-03-09T12:00:00Z').toISOString()).toBe('2026-03-09T15:00:00.000Z')
  })

  test('in a zone that only PostgreSQL knows may be at any quarter of an hour', () => {
    const midnights = createMidnights()
    const at = (time: string) => midnights(new Date(time), 'FOO5').toISOString()
    expect(at('2026-03-10T12:00:00Z')).toBe('2026-03-10T12:15:00.000Z')
    expect(at('2026-03-10T12:14:59.999Z')).toBe('2026-03-10T12:15:00.000Z')
    expect(at('2026-03-10T12:15:00Z')).toBe('2026-03-10T12:30:00.000Z')
  })
})

type OffsetAt = (time: number) => number

/** How far the wall clock is ahead of UTC, in milliseconds. Read off the clock's face, not off dates. */
function offsetsOf(timeZone: string): OffsetAt {
  const format = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' })
  return (time) => {
    const text = format.formatToParts(time).find(({ type }) => type === 'timeZoneName')?.value
    const [, sign, hours = '0', minutes = '0'] = /([+-])(\d+):(\d+)/.exec(text ?? '') ?? []
    return (sign === '-' ? -1 : 1) * (Number(hours) * HOUR + Number(minutes) * MINUTE)
  }
}

function changesOf(offsetAt: OffsetAt): number[] {
  const changes: number[] = []
  for (let day = YEAR.from; day < YEAR.to; day += 7 * DAY) {
    if (offsetAt(day) !== offsetAt(day + 7 * DAY)) changes.push(changeWithin(day, offsetAt))
  }
  return changes
}

function changeWithin(week: number, offsetAt: OffsetAt): number {
  let [before, after] = [week, week + 7 * DAY]
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2)
    if (offsetAt(middle) === offsetAt(week)) before = middle
    else after = middle
  }
  return after
}

function instantsAround(moments: readonly number[]): number[] {
  const distances = [-25 * HOUR, -HOUR, -1, 0, 1, HOUR, 25 * HOUR]
  return moments.flatMap((moment) => distances.map((distance) => moment + distance))
}

// All clocks of our days are set, and all offsets are counted, in full quarters of hours.
function byQuarters(now: number, offsetAt: OffsetAt): string {
  const dayAt = (time: number): number => Math.floor((time + offsetAt(time)) / DAY)
  const quarter = 15 * MINUTE
  let time = (Math.floor(now / quarter) + 1) * quarter
  while (dayAt(time) === dayAt(now)) time += quarter
  return new Date(time).toISOString()
}
