import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type CronWorld, cronWorld, gated } from '../../test/cron.ts'
import type { Executor } from '../jobs/index.ts'

let world: CronWorld
beforeAll(async () => {
  world = await cronWorld()
})
beforeEach(() => world.reset())
afterAll(() => world.end())

const job = { name: 'Note', schedule: 'hourly', function_name: 'note' }
const fails: Executor = async () => Promise.reject(new Error('no such table'))
const partly: Executor = async () => ({
  status: 'partial',
  message: 'Acme failed.',
  processed: 2,
  succeeded: 1,
  failed: 1,
  details: {},
})

describe('running what is due', () => {
  test('runs the due jobs, waits for them, and says what became of each', async () => {
    const { cron } = world.instance({ executors: { fails, partly } })
    const { id } = await cron.jobs.create(job)
    await cron.jobs.create({ ...job, name: 'Fails', function_name: 'fails' })
    await cron.jobs.create({ ...job, name: 'Partly', function_name: 'partly' })
    await cron.jobs.create({ ...job, name: 'Late', misfire: 'skip' })
    await cron.jobs.create({ ...job, name: 'Later', schedule: 'daily' })
    await cron.jobs.create({ ...job, name: 'Paused', is_active: false })
    await cron.jobs.create({ ...job, name: 'Wrong' })
    await world.db.query(
      `update cron_job set schedule = 'x', next_run = '2026-01-10T10:59:00Z' where name = 'Wrong'`,
    )
    world.setTime('2026-01-10T11:05:00Z')
    const { summary, executed, failed } = await cron.runDueNow()
    expect(summary).toEqual({ total: 5, executed: 1, skipped: 1, failed: 3, duration_ms: 0 })
    expect(executed).toEqual([
      {
        id,
        name: 'Note',
        function_name: 'note',
        next_run: '2026-01-10T12:00:00.000Z',
        executed_at: '2026-01-10T11:05:00.000Z',
      },
    ])
    const errors = new Map(failed.map(({ name, error }) => [name, error]))
    expect(errors).toEqual(
      new Map([
        ['Fails', 'no such table'],
        ['Partly', 'Acme failed.'],
        ['Wrong', 'The job is wrong and was paused.'],
      ]),
    )
    expect((await cron.runDueNow()).summary.total).toBe(0)
  })

  test('does not run at once what has no plan yet', async () => {
    const { cron } = world.instance()
    await cron.jobs.create(job)
    await world.db.query('update cron_job set next_run = null')
    expect((await cron.runDueNow()).summary.total).toBe(0)
    expect((await cron.jobs.list({}))[0]?.next_run).toBe('2026-01-10T11:00:00.000Z')
  })
})

describe('running one job by hand', () => {
  test('answers with its outcome, moves last_run and leaves its slots alone', async () => {
    const { cron, runs } = world.instance()
    const { id, next_run } = await cron.jobs.create({ ...job, metadata: { a: 1 } })
    const answer = await cron.runJob(id, 'ada')
    expect(answer).toEqual({
      job: { id, name: 'Note', function_name: 'note' },
      result: {
        run_id: expect.any(String),
        status: 'success',
        success: true,
        message: 'done',
        processed: 0,
        succeeded: 0,
        failed: 0,
        details: {},
      },
      duration_ms: 0,
    })
    expect(world.noted).toMatchObject([
      { slot: null, metadata: { a: 1 }, runId: answer.result.run_id },
    ])
    expect(await cron.jobs.get(id)).toMatchObject({
      next_run,
      last_run: '2026-01-10T10:00:00.000Z',
    })
    expect(await runs()).toMatchObject([{ kind: 'manual', slot: null, triggered_by: 'ada' }])
  })

  test('says that it failed when it failed', async () => {
    const { cron } = world.instance({ executors: { fails } })
    const { id } = await cron.jobs.create({ ...job, function_name: 'fails' })
    expect((await cron.runJob(id, 'ada')).result).toMatchObject({
      status: 'failed',
      success: false,
      message: 'no such table',
    })
  })

  test('is a conflict while the job is running, on whatever instance', async () => {
    const { executor, door } = gated()
    const { cron } = world.instance({ executors: { slow: executor } })
    const other = world.instance({ executors: { slow: executor } })
    const { id } = await cron.jobs.create({ ...job, function_name: 'slow' })
    const first = cron.runJob(id, 'ada')
    await door.arrived
    const conflict = { code: 'conflict', message: 'The job "Note" is running already.' }
    await expect(other.cron.runJob(id, 'bob')).rejects.toMatchObject(conflict)
    await expect(other.cron.execute('slow', { triggeredBy: 'bob' })).rejects.toMatchObject(conflict)
    door.open()
    expect((await first).result.success).toBe(true)
    expect((await other.cron.runJob(id, 'bob')).result.success).toBe(true)
  })

  test('of which several start at the same time runs once', async () => {
    const { executor, door } = gated()
    const instances = Array.from({ length: 4 }, () =>
      world.instance({ executors: { slow: executor } }),
    )
    const created = await instances[0]?.cron.jobs.create({ ...job, function_name: 'slow' })
    const answers = instances.map(({ cron }) => cron.runJob(created?.id ?? '', 'ada'))
    const lost: unknown[] = []
    const threeLost = new Promise<void>((resolve) => {
      for (const answer of answers) {
        answer.catch((error: unknown) => {
          if (lost.push(error) === 3) resolve()
        })
      }
    })
    await Promise.all([door.arrived, threeLost])
    door.open()
    await Promise.allSettled(answers)
    const conflict = { code: 'conflict' }
    expect(lost).toMatchObject([conflict, conflict, conflict])
    expect(door.arrivals()).toBe(1)
  })
})

describe('executing a function by its name', () => {
  test('is a run of the only job with this function, under either spelling', async () => {
    const { cron, runs } = world.instance({ executors: { warmAll: partly } })
    const { id } = await cron.jobs.create({ ...job, function_name: 'warmAll' })
    const answer = await cron.execute('warm_all', { triggeredBy: 'ada' })
    expect(answer).toMatchObject({ job: { id }, result: { status: 'partial', success: false } })
    expect((await cron.jobs.get(id)).last_run).toBe('2026-01-10T10:00:00.000Z')
    expect(await runs()).toMatchObject([{ cron_job_id: id, triggered_by: 'ada' }])
  })

  test('without a job, or with several, is a run of its own', async () => {
    const { cron, runs } = world.instance()
    expect((await cron.execute('note', { triggeredBy: 'ada' })).job).toBeNull()
    await cron.jobs.create(job)
    await cron.jobs.create({ ...job, name: 'Second' })
    expect((await cron.execute('note', { triggeredBy: 'ada' })).job).toBeNull()
    expect(await runs()).toMatchObject([
      { cron_job_id: null, job_name: 'note' },
      { cron_job_id: null, job_name: 'note' },
    ])
  })

  test('for one tenant runs for that tenant alone, and is not a run of the job for all', async () => {
    const tenantId = await world.tenant('UTC')
    const { cron, runs } = world.instance()
    await cron.jobs.create(job)
    const { job: attached } = await cron.execute('note', { tenantId, triggeredBy: 'ada' })
    expect(attached).toBeNull()
    expect(world.noted).toMatchObject([{ tenantId }])
    expect(await runs()).toMatchObject([{ tenant_id: tenantId }])
  })

  test("for one tenant is a run of that tenant's own job", async () => {
    const tenant_id = await world.tenant('UTC')
    const { cron } = world.instance()
    const { id } = await cron.jobs.create({ ...job, tenant_id })
    const answer = await cron.execute('note', { tenantId: tenant_id, triggeredBy: 'ada' })
    expect(answer.job?.id).toBe(id)
    expect(world.noted).toMatchObject([{ tenantId: tenant_id }])
  })

  test('refuses an unknown function and an unknown tenant', async () => {
    const { cron } = world.instance()
    const execute = (name: string, tenantId?: string) =>
      cron.execute(name, { tenantId, triggeredBy: 'ada' })
    await expect(execute('nota')).rejects.toMatchObject({ field: 'function_name' })
    await expect(execute('note', 'acme')).rejects.toMatchObject({ field: 'tenant_id' })
    await expect(execute('note', '00000000-0000-4000-8000-000000000000')).rejects.toMatchObject({
      code: 'bad_request',
      field: 'tenant_id',
    })
  })
})
