// The grammar of schedules: words, `cron:` and five or six fields, the fields alone, `@daily` and its
// kin. Whatever is not understood is refused with a sentence; nothing is ever guessed.
import { Cron } from 'croner'
import { badRequest, messageOf } from '../errors.ts'
import { nearest } from '../nearest.ts'
import { type Slots, slotsOf } from './slots.ts'

export type Schedule = {
  text: string
  /** What it means, as five or six cron fields. */
  pattern: string
  slots: Slots
}

/** The heartbeat's interval; a job cannot be due more often. */
const SHORTEST_SECONDS = 5

// `weekly` is Monday, as the words have always promised; `@weekly` is Sunday, as in every crontab.
const WORDS: Readonly<Record<string, string>> = {
  every_minute: '* * * * *',
  every_hour: '0 * * * *',
  hourly: '0 * * * *',
  daily: '0 0 * * *',
  daily_midnight: '0 0 * * *',
  weekly: '0 0 * * 1',
  monthly: '0 0 1 * *',
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
}

const UNITS = {
  second: {
    divides: 60,
    examples: '10, 15 and 30',
    whole: '* * * * *',
    part: (n: number) => `*/${n} * * * * *`,
  },
  minute: {
    divides: 60,
    examples: '5, 15 and 30',
    whole: '0 * * * *',
    part: (n: number) => `*/${n} * * * *`,
  },
  hour: {
    divides: 24,
    examples: '2, 6 and 12',
    whole: '0 0 * * *',
    part: (n: number) => `0 */${n} * * *`,
  },
} as const

const EXAMPLES = ['every_15_seconds', 'every_5_minutes', 'every_6_hours', 'daily_8am']
const ALLOWED =
  'Use a word such as every_5_minutes, hourly, daily, daily_8am, weekly or monthly; five or six cron' +
  ' fields, with or without "cron:" before them; or @hourly, @daily, @weekly, @monthly or @yearly.'

/** Throws a bad request that says what is wrong and what is allowed. */
export function parseSchedule(text: string): Schedule {
  const pattern = patternOf(text)
  const cron = compile(text, pattern)
  refuseTooOften(text, pattern)
  if (cron.nextRun(new Date(0)) === null) refuse(text, 'no such date ever comes.')
  return { text, pattern, slots: slotsOf(pattern) }
}

/** The first slot after `after`, exclusive. Throws a RangeError for an unknown zone. */
export function nextSlot(schedule: Schedule, timezone: string, after: Date): Date {
  return schedule.slots.after(after, timezone)
}

function patternOf(text: string): string {
  const word = text.trim().toLowerCase()
  const fields = text
    .trim()
    .replace(/^cron:\s*/i, '')
    .split(/\s+/)
  if (fields.length === 5 || fields.length === 6) return fields.join(' ')
  if (word.startsWith('cron:')) refuse(text, `"cron:" takes five fields, not ${fields.length}.`)
  return WORDS[word] ?? everyN(text, word) ?? dailyAt(text, word) ?? refuseWord(text, word)
}

function everyN(text: string, word: string): string | undefined {
  const [, digits, name] = /^every_(\d+)_(second|minute|hour)s?$/.exec(word) ?? []
  if (digits === undefined || !isUnit(name)) return undefined
  const { divides, examples, whole, part } = UNITS[name]
  const n = Number(digits)
  if (n === 0 || divides % n !== 0) {
    refuse(text, `${n} does not divide ${divides} evenly, as ${examples} do.`)
  }
  return n === divides ? whole : part(n)
}

function isUnit(name: string | undefined): name is keyof typeof UNITS {
  return name !== undefined && name in UNITS
}

function dailyAt(text: string, word: string): string | undefined {
  const [, digits, half] = /^daily_(\d{1,2})(am|pm)$/.exec(word) ?? []
  if (digits === undefined) return undefined
  const hour = Number(digits)
  if (hour < 1 || hour > 12) refuse(text, 'the hour goes from 1 to 12, then am or pm.')
  return `0 ${(hour % 12) + (half === 'pm' ? 12 : 0)} * * *`
}

function refuseWord(text: string, word: string): never {
  const meant = nearest(word, [...Object.keys(WORDS), ...EXAMPLES])
  const hint = meant === undefined ? '' : ` Did you mean "${meant}"?`
  throw badRequest('schedule', `"${text}" is not a schedule.${hint} ${ALLOWED}`)
}

function compile(text: string, pattern: string): Cron {
  try {
    return new Cron(pattern, { mode: '5-or-6-parts', paused: true, timezone: 'UTC' })
  } catch (error) {
    return refuse(text, `${messageOf(error).replace(/^CronPattern: /, '')}.`)
  }
}

function refuseTooOften(text: string, pattern: string): void {
  const fields = pattern.split(' ')
  if (fields.length === 5) return
  const everyMinute = new Cron(`${fields[0]} * * * * *`, { paused: true, timezone: 'UTC' })
  const times = everyMinute.nextRuns(61, new Date(0)).map((time) => time.getTime() / 1000)
  const tooClose = times.some((time, index) => time - (times[index - 1] ?? 0) < SHORTEST_SECONDS)
  if (tooClose) refuse(text, `it is due more often than every ${SHORTEST_SECONDS} seconds.`)
}

function refuse(text: string, reason: string): never {
  throw badRequest('schedule', `"${text}" is not a schedule: ${reason} ${ALLOWED}`)
}
