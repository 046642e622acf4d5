import { assert, constantFrom, date, integer, pre, property, tuple } from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RefreshPolicy } from '../domain.ts'
import { checkPolicy, dueReasons } from './policy.ts'

const due = (policy: RefreshPolicy, lastSuccessAt: string, now: string, isNewDay = false) =>
  dueReasons([policy], { now: new Date(now), lastSuccessAt: new Date(lastSuccessAt), isNewDay })

const EVERY_QUARTER = { everySeconds: 900 }
const BY_DAY = { everySeconds: 900, from: '06:00', to: '22:00', timezone: 'Europe/Berlin' }
const BY_NIGHT = { everySeconds: 900, from: '22:00', to: '06:00' }

describe('a view is due', () => {
  test.each([
    ['every 15 minutes, at the 15th', EVERY_QUARTER, '10:00:00Z', '10:15:00Z', true],
    ['not a moment earlier', EVERY_QUARTER, '10:00:00Z', '10:14:59.999Z', false],
    ['by day in Berlin, from 06:00 (05:00 in UTC)', BY_DAY, '04:00:00Z', '05:00:00Z', true],
    ['not before', BY_DAY, '04:00:00Z', '04:59:59Z', false],
    ['until 22:00', BY_DAY, '20:00:00Z', '20:59:59Z', true],
    ['not from 22:00 on', BY_DAY, '20:00:00Z', '21:00:00Z', false],
    ['over midnight, before it', BY_NIGHT, '21:00:00Z', '22:00:00Z', true],
    ['over midnight, after it', BY_NIGHT, '01:00:00Z', '05:59:59Z', true],
    ['over midnight, not by day', BY_NIGHT, '01:00:00Z', '06:00:00Z', false],
  ])('%s', (_, policy, ...[last, now, isDue]) => {
    const reasons = due(policy, `2026-01-10T${last}`, `2026-01-10T${now}`)
    expect(reasons).toEqual(isDue ? ['interval'] : [])
  })

  test.each([
    ['in summer time 06:00 is an hour earlier', '2026-07-10T03:59:59Z', false],
    ['in summer time 06:00 is an hour earlier', '2026-07-10T04:00:00Z', true],
    ['on the day on which the clocks are put forward', '2026-03-29T04:00:00Z', true],
    ['on the day on which they are put back', '2026-10-25T04:59:59Z', false],
    ['on the day on which they are put back', '2026-10-25T05:00:00Z', true],
  ])('%s (%s)', (_, now, isDue) => {
    expect(due(BY_DAY, '2026-01-01T00:00:00Z', now)).toEqual(isDue ? ['interval'] : [])
  })

  test('in an hour that comes twice, both times; in one that never comes, never', () => {
    const early = { everySeconds: 60, from: '02:00', to: '03:00', timezone: 'Europe/Berlin' }
    const minutes = (start: string): number =>
      Array.from(
        { length: 24 * 60 },
        (_item, i) => new Date(Date.parse(start) + i * 60_000),
      ).filter((now) => due(early, '2026-01-01T00:00:00Z', now.toISOString()).length > 0).length
    expect(minutes('2026-10-25T00:00:00Z')).toBe(120)
    expect(minutes('2026-03-29T00:00:00Z')).toBe(0)
  })

  test('when a day began, and not because of changes or events, which ask for themselves', () => {
    const at = '2026-01-10T00:00:00Z'
    expect(due({ atLocalMidnight: true }, at, at, true)).toEqual(['midnight'])
    expect(due({ atLocalMidnight: true }, at, at, false)).toEqual([])
    expect(due({ onChange: true, debounceSeconds: 1 }, at, '2027-01-01T00:00:00Z', true)).toEqual(
      [],
    )
    expect(due({ onEvent: 'etl.completed' }, at, '2027-01-01T00:00:00Z', true)).toEqual([])
  })

  test('for the reason of each of its policies, named once', () => {
    const facts = { now: new Date(7200_000), lastSuccessAt: new Date(0), isNewDay: true }
    const policies = [EVERY_QUARTER, { everySeconds: 3600 }, { atLocalMidnight: true }] as const
    expect(dueReasons(policies, facts)).toEqual(['interval', 'midnight'])
  })
})

const time = tuple(integer({ min: 0, max: 23 }), integer({ min: 0, max: 59 })).map(
  ([hour, minute]) => `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`,
)
const instant = date({
  min: new Date('2020-01-01'),
  max: new Date('2030-01-01'),
  noInvalidDate: true,
})
const zone = constantFrom(
  'UTC',
  'Europe/Berlin',
  'Asia/Kathmandu',
  'America/St_Johns',
  'Pacific/Apia',
)

const DAY = new Date('2026-01-10')

const isOpen = (from: string, to: string, timezone: string, now: Date): boolean =>
  dueReasons([{ everySeconds: 1, from, to, timezone }], {
    now,
    lastSuccessAt: new Date(0),
    isNewDay: false,
  }).length > 0

const minuteOf = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3))

describe('windows', () => {
  test('of a day and its night together are always open, and never both', () => {
    assert(
      property(time, time, zone, instant, (from, to, timezone, now) => {
        pre(from !== to)
        expect(isOpen(from, to, timezone, now)).toBe(!isOpen(to, from, timezone, now))
      }),
    )
  })

  test('are as long as they say on days of 24 hours', () => {
    assert(
      property(time, time, (from, to) => {
        pre(from !== to)
        const day = Array.from({ length: 1440 }, (_, i) => new Date(DAY.getTime() + i * 60_000))
        const open = day.filter((now) => isOpen(from, to, 'UTC', now)).length
        expect(open).toBe((minuteOf(to) - minuteOf(from) + 1440) % 1440)
      }),
      { numRuns: 10 },
    )
  })
})

describe('a policy is refused', () => {
  test.each<[string, RefreshPolicy]>([
    ['every 0 s, which is no interval', { everySeconds: 0 }],
    ['at "6:00", which is no time of day such as 06:00', { everySeconds: 1, from: '6:00' }],
    ['at "24:01", which is no time of day such as 06:00', { everySeconds: 1, to: '24:01' }],
    ['in the zone "Mars/Base", which is no IANA zone', { everySeconds: 1, timezone: 'Mars/Base' }],
    ['-1 s after a change, which is no time', { onChange: true, debounceSeconds: -1 }],
  ])('%s', (message, policy) => {
    expect(() => checkPolicy('mv_days', policy)).toThrow(
      `The view mv_days is refreshed ${message}.`,
    )
  })
})
