import { describe, expect, test } from 'vitest'
import { gate } from '../../test/gate.ts'
import { createWorkers } from './workers.ts'

const untilAborted = (signal: AbortSignal) =>
  new Promise<string>((resolve) => signal.addEventListener('abort', () => resolve('aborted')))

describe('the workers', () => {
  test('as many tasks as there are workers are done at the same time, and the others wait', async () => {
    const workers = createWorkers({ concurrency: 2, drainMs: 1000 })
    const slow = gate()
    const also = gate()
    const last = gate()
    const done = [slow, also, last].map((each) => workers.whenFree(() => each.pass()))
    await Promise.all([slow.arrived, also.arrived])
    expect([last.arrivals(), workers.free]).toEqual([0, 0])
    also.open()
    await last.arrived
    slow.open()
    last.open()
    await Promise.all(done)
    await workers.idle()
    expect(workers.free).toBe(2)
  })

  test('what a person waits for is done beside the others', async () => {
    const workers = createWorkers({ concurrency: 1, drainMs: 1000 })
    const slow = gate()
    const done = workers.whenFree(() => slow.pass())
    expect(await workers.atOnce(async () => 'done')).toBe('done')
    slow.open()
    await done
  })

  test('stop waits for what is being done', async () => {
    const workers = createWorkers({ concurrency: 1, drainMs: 10_000 })
    const slow = gate()
    const done = workers.whenFree(async (stop) => {
      await slow.pass()
      return stop.aborted
    })
    await slow.arrived
    const stopped = workers.stop()
    expect(workers.isStopping).toBe(true)
    slow.open()
    await stopped
    expect(await done).toBe(false)
  })

  test('stop ends what takes longer than the drain', async () => {
    const workers = createWorkers({ concurrency: 1, drainMs: 1 })
    const slow = workers.whenFree(untilAborted)
    const beside = workers.atOnce(untilAborted)
    await workers.stop()
    expect(await Promise.all([slow, beside])).toEqual(['aborted', 'aborted'])
  })

  test('stop may be called twice', async () => {
    const workers = createWorkers({ concurrency: 1, drainMs: 1000 })
    await Promise.all([workers.stop(), workers.stop()])
    expect(workers.isStopping).toBe(true)
  })
})
