import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CronWorld, cronWorld, gated } from '../../test/cron.ts'
import { testLog } from '../../test/log.ts'
import { loggingOutages } from '../outages.ts'
import { TICKING } from './heartbeat.ts'

let world: CronWorld
beforeAll(async () => {
  world = await cronWorld()
})
afterAll(() => world.end())

test('the heartbeat runs what is due without anybody asking, until it is stopped', async () => {
  const { executor, door } = gated()
  const { cron, runs } = world.instance({ executors: { slow: executor } })
  await cron.jobs.create({ name: 'Slow', schedule: 'hourly', function_name: 'slow' })
  world.setTime('2026-01-10T11:00:00Z')
  await cron.start()
  await door.arrived
  const stopped = cron.stop()
  door.open()
  await stopped
  expect(await runs()).toMatchObject([{ status: 'success' }])
})

describe('while the database is away', () => {
  test('the log says so once, and once more when it is over', async () => {
    const { log, entries } = testLog()
    let isAway = true
    const tick = async () => {
      if (isAway) throw new Error('connection refused')
    }
    const safely = loggingOutages(TICKING, log)
    const beat = (): Promise<void> => safely(tick)
    await beat()
    await beat()
    isAway = false
    await beat()
    await beat()
    isAway = true
    await beat()
    expect(entries.map(({ level, message }) => `${level}: ${message}`)).toEqual([
      'error: A tick of the scheduler failed; the next ones try again.',
      'info: The scheduler works again.',
      'error: A tick of the scheduler failed; the next ones try again.',
    ])
  })

  test('ticks fail, and the next one catches up', async () => {
    const { cron, tickAndWait } = world.instance()
    world.setTime('2026-01-10T12:00:00Z')
    await cron.jobs.create({ name: 'Note', schedule: 'hourly', function_name: 'note' })
    world.setTime('2026-01-10T13:00:00Z')
    await world.db.query('alter table job_runs rename to job_runs_away')
    await expect(tickAndWait()).rejects.toThrow('job_runs')
    await world.db.query('alter table job_runs_away rename to job_runs')
    await tickAndWait()
    expect(world.noted).toHaveLength(1)
  })
})
