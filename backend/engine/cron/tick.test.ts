import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type CronWorld, cronWorld, SUCCESS } from '../../test/cron.ts'

let world: CronWorld
beforeAll(async () => {
  world = await cronWorld()
})
beforeEach(() => world.reset())
afterAll(() => world.end())

const job = { name: 'Note', schedule: 'hourly', function_name: 'note' }
const setRow = (set: string) => world.db.query(`update cron_job set ${set}`)

describe('a job by the clock', () => {
  test('runs at its slot, once, and is planned for the next one', async () => {
    const { cron, tickAndWait, runs } = world.instance()
    const { id } = await cron.jobs.create({ ...job, metadata: { colour: 'blue' } })
    await tickAndWait()
    expect(world.noted).toEqual([])

    world.setTime('2026-01-10T11:00:03Z')
    await tickAndWait()
    await tickAndWait()

    const slot = new Date('2026-01-10T11:00:00Z')
    expect(world.noted).toMatchObject([{ slot, tenantId: null, metadata: { colour: 'blue' } }])
    expect(await cron.jobs.get(id)).toMatchObject({
      last_run: '2026-01-10T11:00:03.000Z',
      next_run: '2026-01-10T12:00:00.000Z',
    })
    expect(await runs()).toMatchObject([
      {
        cron_job_id: id,
        job_name: 'Note',
        function_name: 'note',
        kind: 'cron',
        slot: slot.toISOString(),
        status: 'success',
        attempt: 1,
        message: 'done',
        error_message: null,
        triggered_by: 'schedule',
      },
    ])
  })

  test('without a plan is planned from now, and does not run at once', async () => {
    const { cron, tickAndWait } = world.instance()
    const { id } = await cron.jobs.create({ ...job, schedule: 'cron:0 0 * * *' })
    await setRow('next_run = null')
    await tickAndWait()
    expect(world.noted).toEqual([])
    expect((await cron.jobs.get(id)).next_run).toBe('2026-01-11T00:00:00.000Z')
  })

  test('runs under the snake_case name of its function', async () => {
    const { cron, tickAndWait } = world.instance({ executors: { warmAll: async () => SUCCESS } })
    const { id } = await cron.jobs.create({ ...job, function_name: 'warm_all' })
    world.setTime('2026-01-10T11:00:00Z')
    await tickAndWait()
    expect((await cron.jobs.get(id)).last_run).toBe('2026-01-10T11:00:00.000Z')
  })

  test('does not run while it is paused', async () => {
    const { cron, tickAndWait } = world.instance()
    const { id } = await cron.jobs.create(job)
    await cron.jobs.pause(id, 'Month end.')
    world.setTime('2026-01-10T13:30:00Z')
    await tickAndWait()
    expect(world.noted).toEqual([])
    expect((await cron.jobs.resume(id)).next_run).toBe('2026-01-10T14:00:00.000Z')
  })

  test('that is set due by hand runs at the next tick', async () => {
    const { cron, tickAndWait } = world.instance()
    await cron.jobs.create(job)
    await setRow(`next_run = '2026-01-10T10:05:00.123456Z'`)
    world.setTime('2026-01-10T10:05:02Z')
    await tickAndWait()
    expect(world.noted).toMatchObject([{ slot: new Date('2026-01-10T10:05:00.123Z') }])
  })

  test('that is set back by hand to a slot that ran already does not run it again, and goes on', async () => {
    const { cron, tickAndWait } = world.instance()
    const { id } = await cron.jobs.create(job)
    world.setTime('2026-01-10T11:00:00Z')
    await tickAndWait()
    await setRow(`next_run = '2026-01-10T11:00:00Z'`)
    await tickAndWait()
    expect(world.noted).toHaveLength(1)
    expect((await cron.jobs.get(id)).next_run).toBe('2026-01-10T12:00:00.000Z')
  })
})

describe('several instances', () => {
  test('tick in the same slot and one of them runs the job', async () => {
    const instances = Array.from({ length: 4 }, () => world.instance())
    const [first] = instances
    await first?.cron.jobs.create({ ...job, schedule: 'every_minute' })
    for (let minute = 1; minute <= 30; minute += 1) {
      world.setTime(`2026-01-10T10:${String(minute).padStart(2, '0')}:00Z`)
      await Promise.all(instances.map(({ tickAndWait }) => tickAndWait()))
      expect(world.noted.length).toBe(minute)
    }
    const statuses = (await first?.runs())?.map(({ status }) => status)
    expect(statuses).toEqual(Array.from({ length: 30 }, () => 'success'))
  })

  test('that seed, plan and run at the same time leave one job and one run', async () => {
    const instances = Array.from({ length: 4 }, () => world.instance())
    const seeds = [{ name: 'Note', at: 'hourly', run: 'note' }]
    const seeded = await Promise.all(instances.map(({ cron }) => cron.seedSchedules(seeds)))
    expect(seeded.flat()).toEqual(['Note'])
    await setRow('next_run = null')
    await Promise.all(instances.map(({ tickAndWait }) => tickAndWait()))
    world.setTime('2026-01-10T11:00:00Z')
    const answers = await Promise.all(instances.map(({ cron }) => cron.runDueNow()))
    expect(answers.flatMap(({ executed }) => executed)).toHaveLength(1)
  })
})

describe('slots that were missed', () => {
  test('collapse to one late run of the latest', async () => {
    const { cron, tickAndWait, runs } = world.instance()
    const { id } = await cron.jobs.create({ ...job, schedule: 'every_5_minutes' })
    world.setTime('2026-01-12T08:03:00Z')
    await tickAndWait()
    await tickAndWait()
    expect((await runs()).map(({ slot, status }) => [slot, status])).toEqual([
      ['2026-01-12T08:00:00.000Z', 'success'],
    ])
    expect((await cron.jobs.get(id)).next_run).toBe('2026-01-12T08:05:00.000Z')
  })

  test('are skipped by a job that does not run late, and the history says so', async () => {
    const { cron, tickAndWait, runs } = world.instance()
    const { id } = await cron.jobs.create({ ...job, misfire: 'skip' })
    world.setTime('2026-01-10T13:01:01Z')
    await tickAndWait()
    expect(world.noted).toEqual([])
    expect(await runs()).toMatchObject([
      {
        slot: '2026-01-10T13:00:00.000Z',
        status: 'skipped',
        error_message: 'It was due too long ago, and this job does not run late.',
      },
    ])
    expect((await cron.jobs.get(id)).next_run).toBe('2026-01-10T14:00:00.000Z')

    world.setTime('2026-01-10T14:00:59Z')
    await tickAndWait()
    expect(world.noted).toHaveLength(1)
  })
})
