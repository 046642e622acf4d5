import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type CronWorld, cronWorld, gated, SUCCESS } from '../../test/cron.ts'

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
    expect(answers.map(({ summary }) => summary.executed).toSorted()).toEqual([0, 0, 0, 1])
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
    const { cron } = world.instance({ executors: { slow: executor, quick: quick.executor } })
    await cron.jobs.create(slowJob)
    world.setTime('2026-01-10T10:01:00Z')
    await cron.tick()
    await door.arrived
    await cron.jobs.create({ name: 'Quick', schedule: 'every_minute', function_name: 'quick' })
    world.setTime('2026-01-10T10:02:00Z')
    await cron.tick()
    await quick.door.arrived
    quick.door.open()
    door.open()
    await cron.idle()
  })

  test('jobs beyond the concurrency stay due, so that another instance can take them', async () => {
    const { executor, door } = gated()
    const busy = world.instance({ executors: { slow: executor }, concurrency: 1 })
    await busy.cron.jobs.create({ ...slowJob, name: 'A' })
    await busy.cron.jobs.create({ ...job, name: 'B', schedule: 'every_minute' })
    await setRow(`next_run = '2026-01-10T09:59:00Z' where name = 'A'`)
    world.setTime('2026-01-10T10:01:00Z')
    await busy.cron.tick()
    await door.arrived
    const free = world.instance({ executors: { slow: executor } })
    await free.tickAndWait()
    expect(world.noted).toHaveLength(1)
    door.open()
    await busy.cron.idle()
    expect(world.noted).toHaveLength(1)
  })
})

describe('a job in tenant time', () => {
  const warm = { ...job, schedule: 'daily', timezone: 'tenant' }
  const nextRun = async () => {
    const rows = await world.db.query<{ next_run: Date | null }>('select next_run from cron_job')
    return rows[0]?.next_run?.toISOString()
  }

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
      paused_reason: expect.stringContaining(reason) as string,
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
