// Days are spelled `2026-05-31`; both ends of a range belong to it.

export type Range = { start: string; end: string }

const DAY_MS = 86_400_000

/** The day that it was in a time zone. */
export function daysIn(timeZone: string): (time: string) => string {
  const format = new Intl.DateTimeFormat('en-CA', { timeZone })
  return (time) => format.format(new Date(time))
}

export function isWithin(day: string, { start, end }: Range): boolean {
  return day >= start && day <= end
}

export function periodBefore(start: string, end: string): Range {
  const length = daysOf(start, end).length
  return { start: daysAfter(start, -length), end: daysAfter(start, -1) }
}

export function daysAfter(day: string, n: number): string {
  return new Date(Date.parse(day) + n * DAY_MS).toISOString().slice(0, 10)
}

export function daysOf(start: string, end: string): string[] {
  const length = (Date.parse(end) - Date.parse(start)) / DAY_MS + 1
  return Array.from({ length }, (_, n) => daysAfter(start, n))
}
