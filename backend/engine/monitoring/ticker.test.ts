import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { eventually } from '../../test/eventually.ts'
import { gate } from '../../test/gate.ts'
import { testLog } from '../../test/log.ts'
import { monitoringWorld, type MonitoringWorld } from '../../test/monitoring.ts'
import { createTicker } from './ticker.ts'

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

test('a stop waits for the work under way, and nothing is done after it', async () => {
  const door = gate()
  const ticker = createTicker(() => door.pass(), { everyMs: 1, log: testLog().log, name: 'Work' })
  ticker.start()
  await door.arrived
  let hasStopped = false
  const stopped = ticker.stop().then(() => (hasStopped = true))
  await Promise.resolve()
  expect(hasStopped).toBe(false)
  door.open()
  await stopped
  expect(door.arrivals()).toBe(1)
})

test('what keeps failing is told once, and once more when it is over', async () => {
  const { log, entries } = testLog()
  let times = 0
  const work = async () => {
    times += 1
    if (times < 4) throw new Error('away')
  }
  const ticker = createTicker(work, { everyMs: 1, log, name: 'Work' })
  ticker.start()
  await eventually(() => expect(times).toBeGreaterThan(5))
  await ticker.stop()
  expect(entries.map(({ level, message }) => `${level}: ${message}`)).toEqual([
    'error: Work failed; it is tried again.',
    'info: Work works again.',
  ])
})
