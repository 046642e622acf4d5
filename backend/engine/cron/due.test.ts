import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { testLog } from '../../test/log.ts'
import { DAY, HOUR, MINUTE, SECOND } from '../clock.ts'
import { due, GRACE_MS, type SlotAfter } from './due.ts'
import { createTimetable } from './timetable.ts'

const timetable = createTimetable(testLog().log)
const slotsOf = (schedule: string, ...zones: string[]): SlotAfter =>
  timetable.slotsOf({ schedule, timezone: zones.length > 1 ? 'tenant' : (zones[0] ?? ''), zones })

const at = (time: string) => new Date(`2026-01-10T${time}Z`)
const hourly = slotsOf('hourly', 'UTC')

describe('what is due', () => {
  test('a job that is not due yet waits', () => {
    const verdict = due({ nextRun: at('11:00:00'), misfire: 'once' }, at('10:59:59.999'), hourly)
    expect(verdict).toEqual({ act: 'wait' })
  })

  test('a job is due from its slot on', () => {
    const verdict = due({ nextRun: at('11:00:00'), misfire: 'skip' }, at('11:00:00'), hourly)
    expect(verdict).toEqual({ act: 'run', slot: at('11:00:00'), next: at('12:00:00') })
  })

  test('missed slots collapse to one run of the latest of them', () => {
    const verdict = due({ nextRun: at('03:00:00'), misfire: 'once' }, at('11:20:00'), hourly)
    expect(verdict).toEqual({ act: 'run', slot: at('11:00:00'), next: at('12:00:00') })
  })

  test('a job that does not run late is skipped once its grace is over', () => {
    const job = { nextRun: at('11:00:00'), misfire: 'skip' as const }
    expect(due(job, at('11:01:00'), hourly)).toMatchObject({ act: 'run' })
    expect(due(job, at('11:01:00.001'), hourly)).toEqual({
      act: 'skip',
      slot: at('11:00:00'),
      next: at('12:00:00'),
    })
  })

  test('a job that was set due by hand between its slots runs once', () => {
    const verdict = due({ nextRun: at('10:17:00'), misfire: 'once' }, at('10:20:00'), hourly)
    expect(verdict).toEqual({ act: 'run', slot: at('10:17:00'), next: at('11:00:00') })
  })

  test('a job in tenant time is due at midnight in each zone', () => {
    const midnights = slotsOf('daily', 'Europe/Berlin', 'Asia/Tokyo')
    const verdict = due({ nextRun: at('15:00:00'), misfire: 'once' }, at('15:00:03'), midnights)
    expect(verdict).toEqual({ act: 'run', slot: at('15:00:00'), next: at('23:00:00') })
  })

  test('a job in tenant time without tenants is due never again', () => {
    const verdict = due(
      { nextRun: at('11:00:00'), misfire: 'once' },
      at('11:00:00'),
      () => undefined,
    )
    expect(verdict).toEqual({ act: 'run', slot: at('11:00:00'), next: undefined })
  })

  test('a year of missed five-second slots is looked through at once', () => {
    let asked = 0
    const everyFiveSeconds = slotsOf('every_5_seconds', 'UTC')
    const counting: SlotAfter = (after) => {
      asked += 1
      return everyFiveSeconds(after)
    }
    due({ nextRun: new Date('2025-01-10T00:00:00Z'), misfire: 'once' }, at('00:00:02'), counting)
    expect(asked).toBeLessThan(50)
  })
})

const schedule = fc.constantFrom(
  'every_5_seconds',
  'every_minute',
  'every_15_minutes',
  'hourly',
  'every_6_hours',
  'daily',
  'daily_11pm',
  'weekly',
  '*/20 9-17 * * 1-5',
  '30 2 * * *',
)
const zones = fc.subarray(
  ['UTC', 'Europe/Berlin', 'America/Nuuk', 'Australia/Lord_Howe', 'Africa/Cairo'],
  {
    minLength: 1,
  },
)
const start = fc.integer({ min: Date.UTC(2025, 0, 1), max: Date.UTC(2027, 0, 1) })
const pauses = fc.array(
  fc.oneof(
    fc.integer({ min: 1, max: 20 * SECOND }),
    fc.integer({ min: 1, max: 2 * HOUR }),
    fc.integer({ min: 1, max: 3 * DAY }),
  ),
  { minLength: 1, maxLength: 40 },
)

/** Ticks at the given times, and returns what was run and skipped at each. */
function simulate(slotAfter: SlotAfter, misfire: 'skip' | 'once', ticks: readonly Date[]) {
  let nextRun = slotAfter(ticks[0] ?? new Date(0))
  return ticks.flatMap((now) => {
    const verdict = nextRun === undefined ? undefined : due({ nextRun, misfire }, now, slotAfter)
    if (verdict === undefined || verdict.act === 'wait') return []
    nextRun = verdict.next
    return [{ now, act: verdict.act, slot: verdict.slot }]
  })
}

function ticksFrom(first: number, gaps: readonly number[]): Date[] {
  let time = first
  return [new Date(time), ...gaps.map((gap) => new Date((time += gap)))]
}

function latestSlotUpTo(now: Date, slotAfter: SlotAfter, since: Date): Date | undefined {
  for (let reach = MINUTE; ; reach *= 2) {
    const from = new Date(Math.max(since.getTime(), now.getTime() - reach))
    let latest: Date | undefined
    for (let slot = slotAfter(from); slot !== undefined && slot <= now; slot = slotAfter(slot))
      latest = slot
    if (latest !== undefined || from.getTime() === since.getTime()) return latest
  }
}

describe('whatever the schedule and the times of the ticks', () => {
  test('each slot is run at most once, never early, and is a slot of the schedule', () => {
    fc.assert(
      fc.property(schedule, zones, start, pauses, (text, inZones, first, gaps) => {
        const slotAfter = slotsOf(text, ...inZones)
        const done = simulate(slotAfter, 'skip', ticksFrom(first, gaps))
        const slots = done.map(({ slot }) => slot.getTime())
        expect(slots).toEqual([...new Set(slots)].toSorted((a, b) => a - b))
        for (const { now, act, slot } of done) {
          expect(slot.getTime()).toBeLessThanOrEqual(now.getTime())
          expect(slotAfter(new Date(slot.getTime() - 1))).toEqual(slot)
          expect(act).toBe(now.getTime() - slot.getTime() > GRACE_MS ? 'skip' : 'run')
        }
      }),
      { numRuns: 200 },
    )
  })

  test('with the policy "once" no slot that is due is left without a run at or after it', () => {
    fc.assert(
      fc.property(schedule, zones, start, pauses, (text, inZones, first, gaps) => {
        const slotAfter = slotsOf(text, ...inZones)
        const ticks = ticksFrom(first, gaps)
        const done = simulate(slotAfter, 'once', ticks)
        for (const now of ticks) {
          const lastRun = done.findLast((run) => run.now <= now)?.slot
          expect(lastRun).toEqual(latestSlotUpTo(now, slotAfter, new Date(first)))
        }
        expect(done.every(({ act }) => act === 'run')).toBe(true)
      }),
      { numRuns: 200 },
    )
  })
})
