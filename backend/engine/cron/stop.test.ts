import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type CronWorld, cronWorld, gated, SUCCESS } from '../../test/cron.ts'
import { gate } from '../../test/gate.ts'

let world: CronWorld
beforeAll(async () => {
  world = await cronWorld()
})
beforeEach(() => world.reset())
afterAll(() => world.end())

describe('when an instance stops', () => {
  test('a run that ends in time is finished', async () => {
    const { executor, door } = gated()
    const { cron, runs } = await world.due(executor)
    await cron.tick()
    await door.arrived
    const stopped = cron.stop()
    door.open()
    await stopped
    expect(await runs()).toMatchObject([{ status: 'success' }])
  })

  test.each([
    ['lets go when it is told to', (signal: AbortSignal) => untilAborted(signal)],
    ['does not care', () => new Promise<never>(() => {})],
  ])(
    'a run whose executor %s is released, and another instance takes it over at once',
    async (_, wait) => {
      const started = gate()
      const { cron, logged } = await world.due(
        async ({ signal }) => {
          void started.pass()
          return wait(signal)
        },
        {},
        { drainMs: 10 },
      )
      await cron.tick()
      await started.arrived
      await cron.stop()
      expect(logged).toMatchObject([{ details: { status: 'released' } }])

      const other = world.instance({ executors: { work: async () => SUCCESS } })
      expect(await other.runs()).toMatchObject([{ status: 'running' }])
      await other.tickAndWait()
      expect(await other.runs()).toMatchObject([{ status: 'success', attempt: 2 }])
    },
  )

  test('it starts nothing any more', async () => {
    const { cron, tickAndWait, runs } = await world.due(async () => SUCCESS)
    await cron.stop()
    await tickAndWait()
    await cron.stop()
    await expect(cron.execute('work', { triggeredBy: 'ada' })).rejects.toMatchObject({
      code: 'unavailable',
    })
    expect((await cron.runDueNow()).summary).toMatchObject({ total: 1, skipped: 1 })
    expect(await runs()).toEqual([])
  })

  test('whoever waits for a run that is released is told so', async () => {
    const { executor, door } = gated()
    const { cron } = await world.due(executor, {}, { drainMs: 10 })
    const answer = cron.execute('work', { triggeredBy: 'ada' })
    await door.arrived
    await Promise.all([
      expect(answer).rejects.toMatchObject({
        code: 'unavailable',
        message: 'The service is stopping; another instance goes on with this run.',
      }),
      cron.stop(),
    ])
  })
})

async function untilAborted(signal: AbortSignal): Promise<never> {
  await new Promise((resolve) => signal.addEventListener('abort', resolve))
  throw new Error('aborted')
}
