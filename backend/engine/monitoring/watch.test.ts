import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { eventually } from '../../test/eventually.ts'
import { monitoringWorld, type MonitoringWorld } from '../../test/monitoring.ts'

let world: MonitoringWorld
beforeAll(async () => {
  world = await monitoringWorld()
})
beforeEach(() => world.reset())
afterAll(() => world.end())

test('incidents are found without anybody asking, and the log tells of them', async () => {
  const count = async (status: string) => {
    const rows = await world.db.query('select from alert_incidents where status = $1', [status])
    return rows.length
  }
  await world.view('sales')
  for (const minute of [1, 2, 3, 4]) await world.failView('sales', `2026-01-10T11:0${minute}:00Z`)
  const watch = world.instance()
  watch.start()
  await eventually(async () => expect(await count('open')).toBe(1))
  await world.refreshView('sales', '2026-01-10T12:00:00Z')
  await watch.stop()
  await watch.evaluate()
  expect(await count('resolved')).toBe(1)
  expect(world.logged.map(({ level, message }) => `${level}: ${message}`)).toEqual([
    expect.stringMatching(/^error: Incident: The view sales could not be refreshed/),
    expect.stringMatching(/^info: Resolved: The view sales could not be refreshed/),
  ])
})
