// Entries must live longer than the time between two warmings and a run, or dashboards go cold in between: an entry that
// is warmed at midnight and expires five minutes later has warmed nobody's morning.
import { SECOND } from './clock.ts'
import { longestGap, type CronJob } from './cron/index.ts'
import type { Domain } from './domain.ts'
import { PrewarmError } from './errors.ts'
import { JITTER } from './reports/index.ts'

/** What a run may take unless its cron job says otherwise. */
const RUN_MS = 3600 * SECOND

type WarmSchedule = Pick<
  CronJob,
  'tenant_id' | 'schedule' | 'timezone' | 'function_name' | 'timeout_seconds'
>

/** Throws `bad_configuration` when some report's entries can expire before their next warming is over. */
export function checkLifetime(
  jobs: readonly WarmSchedule[],
  { domains, lifetimeMs, now }: { domains: readonly Domain[]; lifetimeMs: number; now: Date },
): void {
  const shortestLife = lifetimeMs * (1 - JITTER)
  for (const domain of domains) {
    for (const report of Object.keys(domain.reports)) {
      const renewals = jobs.filter((job) => warms(domain, job, report))
      const needed = Math.min(
        ...renewals.map((job) => gapOf(job, now) + job.timeout_seconds * SECOND),
      )
      if (renewals.length > 0 && needed >= shortestLife)
        throw tooShort(`${domain.name}:${report}`, needed, lifetimeMs)
    }
  }
}

/**
 * How long before its end an entry of a report is renewed, so that it outlives the time until the next warming; in
 * milliseconds. 0 for a report that no schedule warms.
 */
export function renewAhead(domains: readonly Domain[], now: Date): (reportId: string) => number {
  const ahead = new Map<string, number>()
  for (const domain of domains) {
    for (const { at, run, timezone = 'UTC', isActive = true } of domain.schedules) {
      const id = `${domain.name}:${warmedBy(domain, run)}`
      const ms = gapOf({ schedule: at, timezone }, now) + RUN_MS
      if (isActive) ahead.set(id, Math.min(ahead.get(id) ?? ms, ms))
    }
  }
  return (reportId) => ahead.get(reportId) ?? 0
}

// A job for one tenant keeps nobody else's entries warm.
function warms(domain: Domain, { function_name, tenant_id }: WarmSchedule, report: string) {
  return tenant_id === null && warmedBy(domain, function_name) === report
}

function warmedBy({ jobs }: Domain, name: string): string | undefined {
  const job = jobs[name]
  return job && 'warm' in job ? job.warm : undefined
}

// A zone more or less moves slots, not the time between them, but for an hour in spring and autumn.
function gapOf(
  { schedule, timezone }: Pick<WarmSchedule, 'schedule' | 'timezone'>,
  now: Date,
): number {
  return longestGap(schedule, timezone === 'tenant' ? 'UTC' : timezone, now)
}

function tooShort(report: string, neededMs: number, lifetimeMs: number): PrewarmError {
  const seconds = Math.ceil(neededMs / (1 - JITTER) / SECOND)
  return new PrewarmError(
    'bad_configuration',
    `CACHE_HARD_TTL_SECONDS is ${lifetimeMs / SECOND}, but entries of ${report} are renewed only every ` +
      `${Math.round(neededMs / SECOND)} seconds (the longest time between two warmings, and a run). ` +
      `Set it above ${seconds}, or warm more often.`,
    { field: 'CACHE_HARD_TTL_SECONDS' },
  )
}
