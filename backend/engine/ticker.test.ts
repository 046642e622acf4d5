import { expect, test } from 'vitest'
import { eventually } from '../test/eventually.ts'
import { gate } from '../test/gate.ts'
import { testLog } from '../test/log.ts'
import { createTicker } from './ticker.ts'

const LINES = { failed: 'Work failed; it is tried again.', works: 'Work works again.' }

test('a stop waits for the work under way, and nothing is done after it', async () => {
  const door = gate()
  const ticker = createTicker(() => door.pass(), { everyMs: 1, log: testLog().log, lines: LINES })
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
  const ticker = createTicker(work, { everyMs: 1, log, lines: LINES })
  ticker.start()
  await eventually(() => expect(times).toBeGreaterThan(5))
  await ticker.stop()
  expect(entries.map(({ level, message }) => `${level}: ${message}`)).toEqual([
    'error: Work failed; it is tried again.',
    'info: Work works again.',
  ])
})
