import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type CronWorld, cronWorld } from '../../test/cron.ts'

let world: CronWorld
beforeAll(async () => {
  world = await cronWorld()
})
beforeEach(() => world.reset())
afterAll(() => world.end())

const job = { name: 'Note', schedule: 'hourly', function_name: 'note' }
const setRow = (set: string) => world.db.query(`update cron_job set ${set}`)

describe('a row that was edited by hand', () => {
  test.each([
    [`schedule = 'every_7_minutes'`, '7 does not divide 60 evenly'],
    [`timezone = 'Europe/Berlim'`, 'Did you mean "Europe/Berlin"?'],
  ])('and is wrong (%s) is paused with the reason, and nothing runs', async (set, reason) => {
    const { cron, tickAndWait, logged } = world.instance()
    const { id } = await cron.jobs.create(job)
    await cron.jobs.create({ ...job, name: 'Other' })
    await setRow(`${set} where name = 'Note'`)
    await tickAndWait()
    expect(await cron.jobs.get(id)).toMatchObject({
      is_active: false,
      paused_reason: expect.stringContaining(reason),
    })
    expect(logged).toMatchObject([{ level: 'error', details: { job: 'Note' } }])
    world.setTime('2026-01-10T11:00:00Z')
    await tickAndWait()
    expect(world.noted).toHaveLength(1)
  })

  test('and is right is planned by its new schedule', async () => {
    const { cron, tickAndWait } = world.instance()
    const { id } = await cron.jobs.create({ ...job, schedule: 'daily' })
    await setRow(`schedule = 'every_30_minutes'`)
    await tickAndWait()
    expect((await cron.jobs.get(id)).next_run).toBe('2026-01-10T10:30:00.000Z')
  })

  test('and names an unknown function is left to other instances for a minute, then fails', async () => {
    const { cron, tickAndWait, runs } = world.instance()
    await cron.jobs.create(job)
    await setRow(`function_name = 'brandNew'`)
    world.setTime('2026-01-10T11:00:59Z')
    await tickAndWait()
    expect(await runs()).toEqual([])
    world.setTime('2026-01-10T11:01:00Z')
    await tickAndWait()
    expect(await runs()).toMatchObject([
      { status: 'failed', error_message: 'There is no function "brandNew".' },
    ])
  })

  test('to something that the table forbids is refused by the table', async () => {
    const { cron } = world.instance()
    await cron.jobs.create(job)
    for (const set of [
      `metadata = '[]'`,
      `misfire = 'twice'`,
      'timeout_seconds = 0',
      `name = ''`,
    ]) {
      await expect(setRow(set)).rejects.toThrow(/violates check constraint/)
    }
  })
})
