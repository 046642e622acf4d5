import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type CronWorld, cronWorld, gated, SUCCESS } from '../../test/cron.ts'

let world: CronWorld
beforeAll(async () => {
  world = await cronWorld()
})
beforeEach(() => world.reset())
afterAll(() => world.end())

describe('the outcome of a run', () => {
  test('is what the executor says, with its counts, its message and its details', async () => {
    const { tickAndWait, runs, logged } = await world.due(async () => {
      world.setTime('2026-01-10T11:00:07.500Z')
      return {
        status: 'partial',
        message: '2 of 3 tenants are warm.',
        processed: 3,
        succeeded: 2,
        failed: 1,
        details: { failed_tenants: ['Acme'] },
      }
    })
    await tickAndWait()
    expect(await runs()).toMatchObject([
      {
        status: 'partial',
        processed_count: 3,
        success_count: 2,
        failure_count: 1,
        duration_ms: 7500,
        started_at: '2026-01-10T11:00:00.000Z',
        finished_at: '2026-01-10T11:00:07.500Z',
        message: '2 of 3 tenants are warm.',
        error_message: '2 of 3 tenants are warm.',
        metadata: { failed_tenants: ['Acme'] },
      },
    ])
    expect(logged).toMatchObject([{ level: 'warn', details: { job: 'Job', status: 'partial' } }])
  })

  test.each([
    ['rejects', async () => Promise.reject(new Error('no such table'))],
    [
      'throws at once',
      () => {
        throw new Error('no such table')
      },
    ],
  ])('is failed when the executor %s, and the next slot runs again', async (_, work) => {
    const { cron, tickAndWait, runs } = await world.due(work)
    await tickAndWait()
    world.setTime('2026-01-10T12:00:00Z')
    await tickAndWait()
    const failed = { status: 'failed', error_message: 'no such table' }
    expect(await runs()).toMatchObject([failed, failed])
    const [{ last_run } = { last_run: null }] = await cron.jobs.list({})
    expect(last_run).toBe('2026-01-10T12:00:00.000Z')
  })

  test('is failed when PostgreSQL cannot store what the executor says', async () => {
    const { tickAndWait, runs } = await world.due(async () => ({ ...SUCCESS, message: '\0' }))
    await tickAndWait()
    expect(await runs()).toMatchObject([
      { status: 'failed', error_message: expect.stringContaining('could not be stored') },
    ])
  })

  test('is timeout when the job takes longer than its timeout, and its signal is aborted', async () => {
    const { executor, door } = gated()
    let signal: AbortSignal | undefined
    const { tickAndWait, runs } = await world.due(
      (context) => {
        signal = context.signal
        return executor(context)
      },
      { timeout_seconds: 1 },
    )
    await tickAndWait()
    expect(door.arrivals()).toBe(1)
    expect(signal?.aborted).toBe(true)
    expect(await runs()).toMatchObject([
      { status: 'timeout', error_message: 'It was stopped after 1 s, the timeout of the job.' },
    ])
  })
})
