import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type CronWorld, cronWorld, gated, type Instance, SUCCESS } from '../../test/cron.ts'
import { gate } from '../../test/gate.ts'
import type { Executor } from '../jobs/index.ts'

let world: CronWorld
beforeAll(async () => {
  world = await cronWorld()
})
beforeEach(() => world.reset())
afterAll(() => world.end())

/** Another instance claims the slot and is not heard of again: its lease runs out while it works. */
async function vanished(settings: object = {}): Promise<{ late: Instance; finish: () => void }> {
  const door = gate()
  const late = await world.due(async () => {
    await door.pass()
    return { ...SUCCESS, message: 'from the dead' }
  }, settings)
  await late.cron.tick()
  await door.arrived
  world.setTime('2026-01-10T11:10:00Z')
  return { late, finish: () => door.open() }
}

describe('when an instance vanishes', () => {
  test('its run is taken over once, and what it says later changes nothing', async () => {
    const { late, finish } = await vanished()
    const takers = Array.from({ length: 4 }, () =>
      world.instance({ executors: { work: (context) => note(context) } }),
    )
    const noted: string[] = []
    const note: Executor = async ({ runId, slot }) => {
      noted.push(`${runId} ${slot?.toISOString()}`)
      return SUCCESS
    }
    await Promise.all(takers.map(({ tickAndWait }) => tickAndWait()))
    const [run] = await late.runs()
    expect(noted).toEqual([`${run?.id} 2026-01-10T11:00:00.000Z`])
    expect(run).toMatchObject({ status: 'success', message: 'done', attempt: 2 })

    finish()
    await late.cron.idle()
    expect(await late.runs()).toEqual([run])
    expect(late.logged).toMatchObject([{ level: 'warn', details: { status: 'lost' } }])
  })

  test('each of its runs is taken over once, however many instances look at the same time', async () => {
    const instances = Array.from({ length: 4 }, () => world.instance({ concurrency: 20 }))
    await Promise.all(instances.map(({ tickAndWait }) => tickAndWait()))
    await world.db.query(
      `with job as (
         insert into cron_job (name, schedule, function_name)
         select 'Note ' || n, 'hourly', 'note' from generate_series(1, 20) n
         returning *
       )
       insert into job_runs (cron_job_id, job_name, function_name, kind, slot, status, started_at,
                             lease_owner, lease_until, triggered_by)
       select id, name, function_name, 'cron', '2026-01-10T09:00:00Z', 'running', '2026-01-10T09:00:00Z',
              gen_random_uuid(), '2026-01-10T09:10:00Z', 'schedule'
       from job`,
    )
    await Promise.all(instances.map(({ tickAndWait }) => tickAndWait()))
    expect(world.noted).toHaveLength(20)
    const [first] = instances
    expect(new Set((await first?.runs())?.map(({ attempt }) => attempt))).toEqual(new Set([2]))
  })

  test('a run that another instance is taking at this moment is left to it', async () => {
    const { late, finish } = await vanished()
    const other = world.instance({ executors: { work: async () => SUCCESS } })
    await world.db.transaction(async (taker) => {
      await taker.query('select id from job_runs for update')
      await other.tickAndWait()
    })
    expect(await other.runs()).toMatchObject([{ status: 'running', attempt: 1 }])
    finish()
    await late.cron.idle()
  })

  test('before its lease has run out nobody touches its run', async () => {
    const { late, finish } = await vanished()
    world.setTime('2026-01-10T11:09:59.999Z')
    const other = world.instance({ executors: { work: async () => SUCCESS } })
    await other.tickAndWait()
    expect(await other.runs()).toMatchObject([{ status: 'running', attempt: 1 }])
    finish()
    await late.cron.idle()
    expect(await other.runs()).toMatchObject([{ status: 'success', message: 'from the dead' }])
  })

  test('its run fails when no attempt is left', async () => {
    const { late, finish } = await vanished({ max_attempts: 1 })
    const other = world.instance({ executors: { work: async () => SUCCESS } })
    await other.tickAndWait()
    finish()
    await late.cron.idle()
    expect(await other.runs()).toMatchObject([
      {
        status: 'failed',
        attempt: 1,
        duration_ms: 600_000,
        error_message: 'The instance that ran it is gone; attempt 1 was the last.',
      },
    ])
    expect(other.logged).toMatchObject([{ level: 'error', message: 'A run was given up.' }])
  })

  test('its run is given up if the job was paused meanwhile', async () => {
    const { late, finish } = await vanished()
    const other = world.instance({ executors: { work: async () => SUCCESS } })
    const [paused] = await other.cron.jobs.list({})
    await other.cron.jobs.pause(paused?.id ?? '', 'It kills its instances.')
    await other.tickAndWait()
    finish()
    await late.cron.idle()
    expect(await other.runs()).toMatchObject([{ status: 'failed', attempt: 1 }])
  })

  test('the run of a function without a job fails', async () => {
    const { executor, door } = gated()
    const late = world.instance({ executors: { work: executor } })
    const answer = late.cron.execute('work', { triggeredBy: 'ada' })
    await door.arrived
    world.setTime('2026-01-10T12:00:00Z')
    const other = world.instance()
    await other.tickAndWait()
    door.open()
    await expect(answer).rejects.toMatchObject({ code: 'unavailable' })
    expect(await other.runs()).toMatchObject([{ status: 'failed', cron_job_id: null }])
  })
})

async function leasedBeyond(time: string): Promise<boolean> {
  const rows = await world.db.query('select from job_runs where lease_until > $1', [time])
  return rows.length === 1
}

describe('the lease of a run', () => {
  const leaseMs = 150

  test('is renewed while the executor works', async () => {
    const { executor, door } = gated()
    const { cron, runs } = await world.due(executor, {}, { leaseMs })
    await cron.tick()
    await door.arrived
    for (const minute of [20, 30, 40, 50]) {
      const time = `2026-01-10T11:${minute}:00Z`
      world.setTime(time)
      await expect.poll(() => leasedBeyond(time)).toBe(true)
    }
    const other = world.instance()
    await other.tickAndWait()
    door.open()
    await cron.idle()
    expect(await runs()).toMatchObject([{ status: 'success', attempt: 1 }])
  })

  test('aborts the executor when another instance has the run', async () => {
    const { executor, door } = gated()
    const { cron, logged } = await world.due(executor, {}, { leaseMs })
    await cron.tick()
    await door.arrived
    await world.db.query('update job_runs set lease_owner = gen_random_uuid(), attempt = 2')
    await cron.idle()
    expect(logged).toMatchObject([{ details: { status: 'lost' } }])
  })

  test('aborts the executor when it cannot be renewed in time', async () => {
    const { executor, door } = gated()
    const { cron, logged } = await world.due(executor, {}, { leaseMs })
    await cron.tick()
    await door.arrived
    await world.db.query('alter table job_runs rename to job_runs_away')
    await cron.idle()
    await world.db.query('alter table job_runs_away rename to job_runs')
    expect(logged.at(0)?.message).toBe('A lease could not be renewed.')
    expect(logged.at(-1)).toMatchObject({ details: { status: 'lost' } })
  })
})
