import { describe, expect, it, test } from 'vitest'
import { DAY } from '../clock.ts'
import { nextSlot, parseSchedule } from './schedule.ts'
import { checkTimezone } from './timezone.ts'

function slots(text: string, timezone: string, after: string, count: number): string[] {
  const schedule = parseSchedule(text)
  const found: string[] = []
  let slot = new Date(after)
  while (found.length < count) {
    slot = nextSlot(schedule, timezone, slot)
    found.push(slot.toISOString())
  }
  return found
}

const first = (text: string, timezone = 'UTC', after = '2026-01-01T10:20:30Z') =>
  slots(text, timezone, after, 1)[0]

describe('each word means what it says', () => {
  // 2026-01-01 is a Thursday.
  it.each([
    ['every_minute', '2026-01-01T10:21:00.000Z'],
    ['every_5_seconds', '2026-01-01T10:20:35.000Z'],
    ['every_15_seconds', '2026-01-01T10:20:45.000Z'],
    ['every_30_seconds', '2026-01-01T10:21:00.000Z'],
    ['every_60_seconds', '2026-01-01T10:21:00.000Z'],
    ['every_1_minute', '2026-01-01T10:21:00.000Z'],
    ['every_5_minutes', '2026-01-01T10:25:00.000Z'],
    ['every_15_minutes', '2026-01-01T10:30:00.000Z'],
    ['every_30_minutes', '2026-01-01T10:30:00.000Z'],
    ['every_60_minutes', '2026-01-01T11:00:00.000Z'],
    ['every_hour', '2026-01-01T11:00:00.000Z'],
    ['hourly', '2026-01-01T11:00:00.000Z'],
    ['every_1_hours', '2026-01-01T11:00:00.000Z'],
    ['every_6_hours', '2026-01-01T12:00:00.000Z'],
    ['every_24_hours', '2026-01-02T00:00:00.000Z'],
    ['daily', '2026-01-02T00:00:00.000Z'],
    ['daily_midnight', '2026-01-02T00:00:00.000Z'],
    ['daily_8am', '2026-01-02T08:00:00.000Z'],
    ['daily_08am', '2026-01-02T08:00:00.000Z'],
    ['daily_12am', '2026-01-02T00:00:00.000Z'],
    ['daily_12pm', '2026-01-01T12:00:00.000Z'],
    ['daily_11pm', '2026-01-01T23:00:00.000Z'],
    ['weekly', '2026-01-05T00:00:00.000Z'],
    ['monthly', '2026-02-01T00:00:00.000Z'],
    ['  Daily ', '2026-01-02T00:00:00.000Z'],
    ['cron:0 0 * * *', '2026-01-02T00:00:00.000Z'],
    ['cron: 0 */6 * * *', '2026-01-01T12:00:00.000Z'],
    ['CRON:0 0 * * 0', '2026-01-04T00:00:00.000Z'],
    ['0 2 * * *', '2026-01-02T02:00:00.000Z'],
    ['0 0 * * MON', '2026-01-05T00:00:00.000Z'],
    ['0 0 13 * 5', '2026-01-02T00:00:00.000Z'],
    ['0 0 L * *', '2026-01-31T00:00:00.000Z'],
    ['0 0 29 2 *', '2028-02-29T00:00:00.000Z'],
    ['*/10 * * * * *', '2026-01-01T10:20:40.000Z'],
    ['@hourly', '2026-01-01T11:00:00.000Z'],
    ['@daily', '2026-01-02T00:00:00.000Z'],
    ['@weekly', '2026-01-04T00:00:00.000Z'],
    ['@monthly', '2026-02-01T00:00:00.000Z'],
    ['@yearly', '2027-01-01T00:00:00.000Z'],
  ])('%s', (text, expected) => expect(first(text)).toBe(expected))
})

describe('what is not a schedule is refused, and the sentence says why', () => {
  it.each([
    ['', 'is not a schedule. Use a word such as'],
    ['dayly', 'Did you mean "daily"?'],
    ['every_5_minuts', 'Did you mean "every_5_minutes"?'],
    ['@dayly', 'Did you mean "@daily"?'],
    ['every_7_minutes', '7 does not divide 60 evenly'],
    ['every_0_minutes', '0 does not divide 60 evenly'],
    ['every_90_minutes', '90 does not divide 60 evenly'],
    ['every_5_hours', '5 does not divide 24 evenly'],
    ['every_2_seconds', 'more often than every 5 seconds'],
    ['* * * * * *', 'more often than every 5 seconds'],
    ['0,58 * * * * *', 'more often than every 5 seconds'],
    ['daily_13pm', 'the hour goes from 1 to 12'],
    ['daily_0am', 'the hour goes from 1 to 12'],
    ['cron:0 0 * *', '"cron:" takes five fields, not 4'],
    ['cron:daily', '"cron:" takes five fields, not 1'],
    ['* * * *', 'is not a schedule. Use a word such as'],
    ['* * * * * * *', 'is not a schedule. Use a word such as'],
    ['60 * * * *', 'Invalid value for minute: 60'],
    ['0 24 * * *', 'Invalid value for hour: 24'],
    ['a b c d e', 'illegal characters'],
    ['0 0 31 2 *', 'no such date ever comes'],
    ['2026-02-01T00:00:00', 'is not a schedule. Use a word such as'],
    ['2026-02-01', 'is not a schedule. Use a word such as'],
    ['@reboot', 'is not a schedule. Use a word such as'],
  ])('"%s"', (text, sentence) => {
    expect(() => parseSchedule(text)).toThrow(
      expect.objectContaining({
        code: 'bad_request',
        field: 'schedule',
        message: expect.stringContaining(sentence),
      }),
    )
  })
})

describe('a time zone is an IANA zone or the word tenant', () => {
  it.each(['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'tenant'])('%s', (zone) => {
    expect(() => checkTimezone(zone)).not.toThrow()
  })

  it.each([
    ['Europe/Berlim', 'Did you mean "Europe/Berlin"?'],
    ['tenants', 'Did you mean "tenant"?'],
    ['+02:00', 'is not a time zone'],
    ['', 'is not a time zone'],
  ])('"%s" is refused', (zone, sentence) => {
    expect(() => checkTimezone(zone)).toThrow(
      expect.objectContaining({
        field: 'timezone',
        message: expect.stringContaining(sentence),
      }),
    )
  })
})

describe('when the clocks change', () => {
  test('a time of day that is left out is due when the clocks are put forward', () => {
    expect(slots('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', 2)).toEqual([
      '2026-03-29T01:00:00.000Z',
      '2026-03-30T00:30:00.000Z',
    ])
  })

  test('a time of day that comes twice is due the first time', () => {
    expect(slots('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 2)).toEqual([
      '2026-10-25T00:30:00.000Z',
      '2026-10-26T01:30:00.000Z',
    ])
  })

  test('the last hour of a day may be left out', () => {
    expect(slots('30 23 * * *', 'America/Nuuk', '2026-03-28T12:00:00Z', 2)).toEqual([
      '2026-03-29T01:00:00.000Z',
      '2026-03-30T00:30:00.000Z',
    ])
  })

  test('every six hours stays every six hours where midnight is left out', () => {
    expect(slots('every_6_hours', 'America/Havana', '2026-03-07T20:00:00Z', 3)).toEqual([
      '2026-03-07T23:00:00.000Z',
      '2026-03-08T05:00:00.000Z',
      '2026-03-08T10:00:00.000Z',
    ])
  })

  test('an hourly job is due in every hour that passes', () => {
    expect(slots('hourly', 'Europe/Berlin', '2026-10-24T23:30:00Z', 3)).toEqual([
      '2026-10-25T00:00:00.000Z',
      '2026-10-25T01:00:00.000Z',
      '2026-10-25T02:00:00.000Z',
    ])
  })
})

test('every daily job is due once per local day in every zone across every change of the clocks from 2025 to 2027', () => {
  const times = ['0 0', '30 0', '0 1', '30 2', '0 3', '30 23']
  const schedules = times.map((time) => parseSchedule(`${time} * * *`))
  const wrong: string[] = []
  for (const zone of Intl.supportedValuesOf('timeZone')) {
    const localDay = new Intl.DateTimeFormat('en-CA', { timeZone: zone, dateStyle: 'short' })
    for (const change of changesOf(zone)) {
      const days = daysAround(change, localDay)
      const dates = days.map(({ date }) => date).join()
      const differ = schedules.filter((each) => daysDue(each, zone, days).join() !== dates)
      wrong.push(...differ.map(({ text }) => `${text} in ${zone} around ${dates}`))
    }
  }
  expect(wrong).toEqual([])
})

/** Instants shortly after which the zone's offset from UTC is another one. */
function changesOf(zone: string): number[] {
  const format = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' })
  const offsetAt = (instant: number) => format.format(instant).replace(/^.*GMT/, '')
  const changes: number[] = []
  for (let day = Date.UTC(2025, 0, 1); day < Date.UTC(2028, 0, 1); day += DAY) {
    if (offsetAt(day) !== offsetAt(day + DAY)) changes.push(day)
  }
  return changes
}

type LocalDay = { date: string; start: number; end: number }

/** The local days from two days before a change to three days after it, and when they begin and end. */
function daysAround(change: number, localDay: Intl.DateTimeFormat): LocalDay[] {
  const quarter = DAY / 96
  const starts: { date: string; start: number }[] = []
  for (let time = change - 3 * DAY; time <= change + 4 * DAY; time += quarter) {
    const date = localDay.format(time)
    if (starts.at(-1)?.date !== date) starts.push({ date, start: time })
  }
  return starts
    .slice(1, -1)
    .map((day, index) => ({ ...day, end: starts[index + 2]?.start ?? change + 4 * DAY }))
}

// A slot at the moment at which one day becomes the next belongs to the day that begins, unless it is an
// evening's slot which the day that ends has left out.
function daysDue(
  schedule: ReturnType<typeof parseSchedule>,
  zone: string,
  days: readonly LocalDay[],
): string[] {
  const isEvening = schedule.text.startsWith('30 23 ')
  const belongs = (slot: number, { start, end }: LocalDay) =>
    isEvening ? start < slot && slot <= end : start <= slot && slot < end
  const end = days.at(-1)?.end ?? 0
  const due: string[] = []
  let slot = new Date((days[0]?.start ?? 0) - 1)
  while (slot.getTime() <= end) {
    slot = nextSlot(schedule, zone, slot)
    const day = days.find((each) => belongs(slot.getTime(), each))
    if (day !== undefined) due.push(day.date)
    else if (slot.getTime() < end) due.push('no day')
  }
  return due
}
