// Days as texts, `2026-05-31`, for the tests.

export function dayIn(timezone: string, now: string | Date): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone: timezone, dateStyle: 'short' }).format(
    new Date(now),
  )
}

export function daysAfter(day: string, days: number): string {
  const date = new Date(`${day}T00:00:00Z`)
  date.setUTCDate(date.getUTCDate() + days)
  return date.toISOString().slice(0, 10)
}

/** The first day of the month so many months before that of `day`. */
export function monthStart(day: string, monthsBefore = 0): string {
  const [year = 0, month = 0] = day.split('-').map(Number)
  return new Date(Date.UTC(year, month - 1 - monthsBefore, 1)).toISOString().slice(0, 10)
}

/** How many days there are from the one to the other, both of them counted. */
export function lengthOf(from: string, to: string): number {
  return (Date.parse(to) - Date.parse(from)) / 86_400_000 + 1
}

/** A zone in which it is about noon, so that a test is over before the day is. */
export function noonZone(now: string | Date): string {
  const hours = 12 - new Date(now).getUTCHours()
  return hours === 0 ? 'UTC' : `Etc/GMT${hours > 0 ? '-' : '+'}${Math.abs(hours)}`
}
