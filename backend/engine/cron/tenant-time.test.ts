import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type CronWorld, cronWorld } from '../../test/cron.ts'

let world: CronWorld
beforeAll(async () => {
  world = await cronWorld()
})
beforeEach(() => world.reset())
afterAll(() => world.end())

const job = { name: 'Note', schedule: 'hourly', function_name: 'note' }

const nextRun = async () => {
  const rows = await world.db.query<{ next_run: Date | null }>('select next_run from cron_job')
  return rows[0]?.next_run?.toISOString()
}

describe('a job in tenant time', () => {
  const warm = { ...job, schedule: 'daily', timezone: 'tenant' }

  test('is due at midnight in every zone that has an active tenant', async () => {
    for (const zone of ['Europe/Berlin', 'Asia/Tokyo', 'America/New_York', 'Asia/Tokyo']) {
      await world.tenant(zone)
    }
    const { cron, tickAndWait } = world.instance()
    await cron.jobs.create(warm)
    for (let hour = 10; hour < 34; hour += 1) {
      world.setTime(new Date(Date.UTC(2026, 0, 10, hour)).toISOString())
      await tickAndWait()
    }
    expect(world.noted.map(({ slot }) => slot?.toISOString())).toEqual([
      '2026-01-10T15:00:00.000Z',
      '2026-01-10T23:00:00.000Z',
      '2026-01-11T05:00:00.000Z',
    ])
  })

  test("of one tenant is due in that tenant's zone", async () => {
    await world.tenant('Asia/Tokyo')
    const berlin = await world.tenant('Europe/Berlin')
    const { cron } = world.instance()
    await cron.jobs.create({ ...warm, tenant_id: berlin })
    expect(await nextRun()).toBe('2026-01-10T23:00:00.000Z')
  })

  test('is planned anew when tenants come and go', async () => {
    const { cron, tickAndWait } = world.instance()
    await cron.jobs.create(warm)
    expect(await nextRun()).toBeUndefined()
    await world.tenant('Europe/Berlin')
    await tickAndWait()
    expect(await nextRun()).toBe('2026-01-10T23:00:00.000Z')
    const tokyo = await world.tenant('Asia/Tokyo')
    await tickAndWait()
    expect(await nextRun()).toBe('2026-01-10T15:00:00.000Z')
    await world.db.query('update tenant set is_active = false where id = $1', [tokyo])
    await tickAndWait()
    expect(await nextRun()).toBe('2026-01-10T23:00:00.000Z')
  })

  test('leaves out a zone that only PostgreSQL knows, and says so once', async () => {
    await world.tenant('Europe/Berlin')
    await world.tenant('<+03>-3')
    const { cron, tickAndWait, logged } = world.instance()
    await cron.jobs.create(warm)
    await tickAndWait()
    await tickAndWait()
    expect(await nextRun()).toBe('2026-01-10T23:00:00.000Z')
    expect(logged.filter(({ level }) => level === 'error')).toMatchObject([
      { details: { zone: '<+03>-3' } },
    ])
  })
})
