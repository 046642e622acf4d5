import { expect, test } from 'vitest'
import { eventually } from '../test/eventually.ts'
import { probe } from '../test/probe.ts'

test('a process that only answers requests queues jobs, and one with the role of a worker does them', async () => {
  const world = await probe()
  const api = await world.app({ settings: { roles: ['api'] } })
  const scheduler = await world.app({ settings: { roles: ['scheduler'] } })
  await Promise.all([api.engine.start(), scheduler.engine.start()])
  const { lanes } = api.engine
  const id = await lanes.add('nobody knows it', 1, { lane: 'low' })
  expect([lanes.isStarted, scheduler.engine.lanes.isStarted]).toEqual([false, false])
  expect((await lanes.find(id)).state).toBe('waiting')
  const worker = await world.app({ settings: { roles: ['worker'] } })
  await worker.engine.start()
  await eventually(async () => expect((await lanes.find(id)).state).toBe('failed'))
  await world.end()
})
