import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type CronWorld, cronWorld, gated, SUCCESS } from '../../test/cron.ts'

let world: CronWorld
beforeAll(async () => {
  world = await cronWorld()
})
beforeEach(() => world.reset())
afterAll(() => world.end())

const setRow = (set: string) => world.db.query(`update cron_job set ${set}`)

describe('while an earlier run goes on', () => {
  const slowJob = { name: 'Slow', schedule: 'every_minute', function_name: 'slow' }

  test('a job with the policy "skip" skips its slots and records them', async () => {
    const { executor, door } = gated()
    const { cron, tickAndWait, runs } = world.instance({ executors: { slow: executor } })
    await cron.jobs.create({ ...slowJob, overlap: 'skip' })
    world.setTime('2026-01-10T10:01:00Z')
    await cron.tick()
    await door.arrived
    world.setTime('2026-01-10T10:02:00Z')
    const other = world.instance({ executors: { slow: executor } })
    await other.tickAndWait()
    door.open()
    await cron.idle()
    await tickAndWait()
    expect((await runs()).map(({ slot, status }) => [slot, status])).toEqual([
      ['2026-01-10T10:01:00.000Z', 'success'],
      ['2026-01-10T10:02:00.000Z', 'skipped'],
    ])
  })

  test('a job with the policy "queue" stays due, and runs once when the earlier run is over', async () => {
    const { executor, door } = gated()
    const { cron, tickAndWait, runs } = world.instance({ executors: { slow: executor } })
    await cron.jobs.create({ ...slowJob, overlap: 'queue' })
    world.setTime('2026-01-10T10:01:00Z')
    await cron.tick()
    await door.arrived
    const other = world.instance({ executors: { slow: executor } })
    for (const time of ['10:02:00', '10:03:00', '10:04:10']) {
      world.setTime(`2026-01-10T${time}Z`)
      await other.tickAndWait()
    }
    expect(door.arrivals()).toBe(1)
    door.open()
    await cron.idle()
    await tickAndWait()
    expect((await runs()).map(({ slot, status }) => [slot, status])).toEqual([
      ['2026-01-10T10:01:00.000Z', 'success'],
      ['2026-01-10T10:04:00.000Z', 'success'],
    ])
  })

  test('other jobs run, and so do the ticks', async () => {
    const { executor, door } = gated()
    const quick = gated()
    const { cron, runs } = world.instance({
      executors: { slow: executor, quick: quick.executor },
    })
    await cron.jobs.create({ ...slowJob, schedule: 'hourly' })
    world.setTime('2026-01-10T11:00:00Z')
    await cron.tick()
    await door.arrived
    await cron.jobs.create({ name: 'Quick', schedule: 'every_minute', function_name: 'quick' })
    world.setTime('2026-01-10T11:01:00Z')
    await cron.tick()
    await quick.door.arrived
    expect((await runs()).map(({ job_name, status }) => [job_name, status])).toEqual([
      ['Slow', 'running'],
      ['Quick', 'running'],
    ])
    quick.door.open()
    door.open()
    await cron.idle()
  })

  test('jobs beyond the concurrency stay due, so that another instance can take them', async () => {
    const { executor, door } = gated()
    const ranOn: string[] = []
    const quickOn = (name: string) => async () => {
      ranOn.push(name)
      return SUCCESS
    }
    const busy = world.instance({
      executors: { slow: executor, quick: quickOn('busy') },
      concurrency: 1,
    })
    await busy.cron.jobs.create({ ...slowJob, name: 'A' })
    await busy.cron.jobs.create({ ...slowJob, name: 'B', function_name: 'quick' })
    await setRow(`next_run = '2026-01-10T09:59:00Z' where name = 'A'`)
    world.setTime('2026-01-10T10:01:00Z')
    await busy.cron.tick()
    await door.arrived
    const free = world.instance({ executors: { slow: executor, quick: quickOn('free') } })
    await free.tickAndWait()
    door.open()
    await busy.cron.idle()
    expect(ranOn).toEqual(['free'])
  })
})
