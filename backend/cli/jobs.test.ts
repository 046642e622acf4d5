import { afterAll, beforeAll, expect, test } from 'vitest'
import { createLanes, type Lanes } from '../engine/lanes/index.ts'
import { cliWorld, type CliWorld } from '../test/cli-world.ts'
import { eventually } from '../test/eventually.ts'
import { testLog } from '../test/log.ts'

let world: CliWorld
let lanes: Lanes

beforeAll(async () => {
  world = await cliWorld()
  const backend = { kind: 'postgres', url: world.database.url } as const
  lanes = createLanes({ backend, concurrency: 1, log: testLog().log })
  lanes.handle('fail', () => Promise.reject(new Error('broken')))
  await lanes.start()
})
afterAll(async () => {
  await lanes.stop()
  await world.end()
})

test('jobs list counts the jobs of each lane', async () => {
  await lanes.add('fail', 1, { lane: 'low', delayMs: 60_000 })
  expect(await world.json('jobs list')).toMatchObject({
    lanes: { low: { delayed: 1 } },
    active: [],
  })
  expect((await world.run('jobs list')).stdout).toMatch(/^lane +waiting .*\n.*\n.*\nlow +0 +0 +1 /)
})

test('jobs dead shows what failed, retry repeats it, and cancel removes what waits', async () => {
  const id = await lanes.add('fail', 1, { lane: 'high' })
  await eventually(async () => expect(await lanes.deadLetters()).toHaveLength(1))
  expect(await world.json('jobs dead')).toMatchObject({ jobs: [{ id, error: 'broken' }], total: 1 })
  expect((await world.run('jobs dead')).stdout).toContain('broken')
  expect(await world.json(`jobs retry ${id}`)).toMatchObject({ retried: id })
  const waiting = await lanes.add('fail', 1, { lane: 'low', delayMs: 60_000 })
  expect((await world.run(`jobs cancel ${waiting}`)).code).toBe(0)
  const { code, stderr } = await world.run(`jobs cancel ${waiting}`)
  expect([code, stderr]).toEqual([1, 'There is no such job.\n'])
})
