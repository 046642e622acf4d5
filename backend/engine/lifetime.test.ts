import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testApp } from '../test/app.ts'
import { testDatabase, type TestDatabase } from '../test/database.ts'
import { DAY, HOUR, MINUTE } from './clock.ts'
import { crm } from '../domains/crm/index.ts'
import type { Domain, Schedule } from './domain.ts'
import { checkLifetime, renewAhead } from './lifetime.ts'

const NOW = new Date('2026-03-10T12:00:00Z')
const NIGHTLY = 'cron:0 0 * * *'

const sales: Domain = {
  name: 'sales',
  folder: import.meta.dirname,
  sources: {},
  reports: {
    yearly: { title: 'Yearly', reads: [], changesAt: 'never' },
    daily: { title: 'Daily', reads: [], changesAt: 'never' },
  },
  jobs: {
    warmYearly: { warm: 'yearly', tenants: 'all' },
    warmDaily: { warm: 'daily', tenants: 'all' },
  },
  schedules: [],
}

type Job = Parameters<typeof checkLifetime>[0][number]

const job = (changed: Partial<Job> = {}): Job => ({
  tenant_id: null,
  schedule: NIGHTLY,
  timezone: 'UTC',
  function_name: 'warmYearly',
  timeout_seconds: 3600,
  ...changed,
})
const check = (lifetimeMs: number, ...jobs: Job[]) => {
  return () => checkLifetime(jobs, { domains: [sales], lifetimeMs, now: NOW })
}

describe('a hard lifetime', () => {
  test('is long enough when the shortest life outlasts the time between warmings and a run', () => {
    expect(check(36 * HOUR, job())).not.toThrow()
    expect(check((25 * HOUR) / 0.9 + MINUTE, job())).not.toThrow()
    expect(check((25 * HOUR) / 0.9 - MINUTE, job())).toThrow('CACHE_HARD_TTL_SECONDS')
  })

  test('that is too short is refused with a sentence that names the setting and says what would do', () => {
    expect(check(5 * MINUTE, job())).toThrow(
      expect.objectContaining({
        code: 'bad_configuration',
        field: 'CACHE_HARD_TTL_SECONDS',
        message:
          'CACHE_HARD_TTL_SECONDS is 300, but entries of sales:yearly are renewed only every 90000 seconds' +
          ' (the longest time between two warmings, and a run). Set it above 100000, or warm more often.',
      }),
    )
  })

  test('may be as short as the most frequent of several jobs allows', () => {
    const often = job({ schedule: 'every_5_minutes', timeout_seconds: 60 })
    expect(check(10 * MINUTE, job(), often)).not.toThrow()
  })

  test('is not made long enough by a job for one tenant only', () => {
    const one = job({ schedule: 'every_5_minutes', timeout_seconds: 60, tenant_id: 'x' })
    expect(check(10 * MINUTE, job(), one)).toThrow('CACHE_HARD_TTL_SECONDS')
  })

  test('must outlast the weekend of a job for working days', () => {
    const workdays = job({ schedule: 'cron:0 0 * * 1-5' })
    expect(check(2 * DAY, workdays)).toThrow('262800 seconds')
    expect(check(4 * DAY, workdays)).not.toThrow()
  })

  test('is no matter for reports that nothing warms, and each report is looked at by itself', () => {
    expect(check(MINUTE)).not.toThrow()
    expect(check(MINUTE, job({ function_name: 'pruneJobRuns' }))).not.toThrow()
    const often = job({ schedule: 'every_5_minutes', timeout_seconds: 60 })
    const daily = job({ function_name: 'warmDaily', timezone: 'tenant' })
    expect(check(10 * MINUTE, often, daily)).toThrow('sales:daily')
  })
})

const schedule = (at: string, run: string, more: Partial<Schedule> = {}): Schedule => ({
  name: `${run} ${at}`,
  at,
  run,
  ...more,
})
const ahead = (...schedules: Schedule[]) => renewAhead([{ ...sales, schedules }], NOW)

describe('renewing ahead', () => {
  test('reaches to the end of the next warming of that report, whatever others there are', () => {
    const of = ahead(
      schedule(NIGHTLY, 'warmYearly', { timezone: 'tenant' }),
      schedule('every_5_minutes', 'warmDaily'),
    )
    expect(of('sales:yearly')).toBe(25 * HOUR)
    expect(of('sales:daily')).toBe(HOUR + 5 * MINUTE)
    expect(of('sales:monthly')).toBe(0)
  })

  test('counts on the most frequent schedule that is active', () => {
    const of = ahead(
      schedule(NIGHTLY, 'warmYearly'),
      schedule('hourly', 'warmYearly'),
      schedule('every_5_minutes', 'warmYearly', { isActive: false }),
    )
    expect(of('sales:yearly')).toBe(2 * HOUR)
  })
})

describe('a service', () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await testDatabase()
  })
  afterAll(() => database.drop())

  test('does not start when entries would not live until the next warming', async () => {
    const settings = { lifetimeMs: 5 * MINUTE }
    const app = await testApp({ databaseUrl: database.url, settings })
    await expect(app.engine.start()).rejects.toMatchObject({
      code: 'bad_configuration',
      message: expect.stringContaining('CACHE_HARD_TTL_SECONDS is 300'),
    })
    await app.stop()
  })

  test('starts with the same setting when its job was made frequent, whatever the name’s spelling', async () => {
    const settings = { lifetimeMs: 3 * HOUR }
    const app = await testApp({ databaseUrl: database.url, settings, domains: [crm] })
    await app.engine.cron.jobs.create({
      name: 'Often',
      schedule: 'every_5_minutes',
      function_name: 'warm_dashboard_bundle_cache',
    })
    await expect(app.engine.start()).resolves.toBeUndefined()
    await app.stop()
  })
})
