// What every backend of the lanes must do.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../../test/eventually.ts'
import { gate } from '../../test/gate.ts'
import { LANE_BACKENDS, laneWorld, type LaneWorld } from '../../test/lanes.ts'

describe.each(LANE_BACKENDS)('the lanes on %s', (kind) => {
  let world: LaneWorld

  beforeAll(async () => {
    world = await laneWorld(kind)
  })
  afterEach(() => world.clear())
  afterAll(() => world.end())

  test('a job is done with its data, and its result comes back', async () => {
    const lanes = await world.working({ double: async (data) => Number(data) * 2 })
    const results = await lanes.runAll('double', [1, 2, 3], { lane: 'normal' })
    expect(results).toEqual([2, 4, 6].map((value) => ({ status: 'fulfilled', value })))
  })

  test('without start nothing is done, but adding works', async () => {
    const lanes = world.lanes()
    await lanes.add('later', 1, { lane: 'low' })
    expect(await lanes.counts()).toMatchObject({ low: { waiting: 1, active: 0 } })
    const done: unknown[] = []
    await world.working({ later: async (data) => done.push(data) })
    await eventually(() => expect(done).toEqual([1]))
  })

  test('results are in the order of what was asked, and a failure is one of them', async () => {
    const lanes = await world.working({
      odd: async (data) => {
        if (data === 2) throw new Error('two is not odd')
        return data
      },
    })
    const told: number[] = []
    const results = await lanes.runAll('odd', [1, 2, 3], {
      lane: 'high',
      onResult: (_result, index) => told.push(index),
    })
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(results[1]).toMatchObject({ reason: { message: 'two is not odd' } })
    expect(told.toSorted((a, b) => a - b)).toEqual([0, 1, 2])
  })

  test('a free worker takes high before normal before low', async () => {
    const order: unknown[] = []
    const note = async (data: unknown) => order.push(data)
    const producer = world.lanes()
    for (const lane of ['low', 'normal', 'high', 'low', 'high', 'normal'] as const) {
      await producer.add('note', lane, { lane })
    }
    await world.working({ note }, { concurrency: 1 })
    await eventually(() => expect(order).toHaveLength(6))
    expect(order).toEqual(['high', 'high', 'normal', 'normal', 'low', 'low'])
  })

  test('a low job that has waited for long is done though high ones keep coming', async () => {
    const order: unknown[] = []
    const lanes = world.lanes({ concurrency: 1, timing: { ageMs: 50 } })
    lanes.handle('note', async (data) => {
      order.push(data)
      if (!order.includes('low')) await lanes.add('note', 'high', { lane: 'high' })
    })
    await lanes.add('note', 'low', { lane: 'low' })
    await lanes.add('note', 'high', { lane: 'high' })
    await lanes.add('note', 'high', { lane: 'high' })
    await lanes.start()
    await eventually(() => expect(order).toContain('low'))
    expect(order.indexOf('low')).toBeGreaterThan(0)
  })

  test('what fails is tried again with growing pauses, and then a dead letter with its error', async () => {
    const attempts: { number: number; at: number }[] = []
    const lanes = await world.working(
      {
        fail: async (_data, { attempt }) => {
          attempts.push({ number: attempt, at: performance.now() })
          throw new Error(`broken at ${attempt}`)
        },
      },
      { timing: { backoffMs: 100 } },
    )
    const id = await lanes.add('fail', { x: 1 }, { lane: 'normal', attempts: 3 })
    await eventually(async () => expect(await lanes.deadLetters()).toHaveLength(1))
    expect(attempts.map(({ number }) => number)).toEqual([1, 2, 3])
    const [first, second, third] = attempts.map(({ at }) => at)
    expect((second ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(95)
    expect((third ?? 0) - (second ?? 0)).toBeGreaterThanOrEqual(195)
    const [letter] = await lanes.deadLetters()
    const expected = { id, kind: 'fail', lane: 'normal', state: 'failed', data: { x: 1 } }
    expect(letter).toMatchObject({ ...expected, attempts: 3, error: 'broken at 3' })
  })

  test('a dead letter is done when it is retried, and gone when it is discarded', async () => {
    let isBroken = true
    const lanes = await world.working({
      maybe: async () => {
        if (isBroken) throw new Error('not yet')
        return 'done'
      },
    })
    const ids = await Promise.all([1, 2].map((n) => lanes.add('maybe', n, { lane: 'high' })))
    await eventually(async () => expect(await lanes.deadLetters()).toHaveLength(2))
    isBroken = false
    const again = await lanes.retry(ids[0] ?? '')
    await lanes.discard(ids[1] ?? '')
    await eventually(async () => expect((await lanes.find(again)).state).toBe('completed'))
    expect(await lanes.deadLetters()).toEqual([])
    expect(await lanes.counts()).toMatchObject({ high: { completed: 1, failed: 0 } })
  })

  test('of the same name at most one waits or runs, whatever the lane and the process', async () => {
    const one = world.lanes()
    const other = world.lanes()
    const adding = ['high', 'normal', 'low', 'high'] as const
    const added = await Promise.all(
      adding.flatMap((lane) =>
        [one, other].map((lanes) => lanes.add('view', lane, { lane, once: 'view a' })),
      ),
    )
    expect(added.filter((id) => id !== 'AlreadyThere')).toHaveLength(1)
    expect(await one.add('view', 1, { lane: 'low', once: 'view b' })).not.toBe('AlreadyThere')
  })

  test('a job of a name that runs keeps others of this name out until it has ended', async () => {
    const slow = gate()
    const lanes = await world.working({ view: () => slow.pass() })
    const id = await lanes.add('view', 1, { lane: 'normal', once: 'view' })
    await slow.arrived
    expect(await lanes.add('view', 2, { lane: 'high', once: 'view' })).toBe('AlreadyThere')
    slow.open()
    await eventually(async () => expect((await lanes.find(id)).state).toBe('completed'))
    expect(await lanes.add('view', 3, { lane: 'high', once: 'view' })).not.toBe('AlreadyThere')
  })

  test('a dead letter is not retried while another of its name waits', async () => {
    const lanes = await world.working({ view: () => Promise.reject(new Error('no')) })
    const id = await lanes.add('view', 1, { lane: 'normal', once: 'view' })
    await eventually(async () => expect(await lanes.deadLetters()).toHaveLength(1))
    await lanes.add('view', 2, { lane: 'normal', once: 'view', delayMs: 60_000 })
    await expect(lanes.retry(id)).rejects.toMatchObject({ code: 'conflict' })
    expect(await lanes.deadLetters()).toHaveLength(1)
  })

  test('a delayed job waits for its time', async () => {
    const done: number[] = []
    const added = performance.now()
    const lanes = await world.working({ late: async () => done.push(performance.now()) })
    await lanes.add('late', 1, { lane: 'high', delayMs: 300 })
    expect(await lanes.counts()).toMatchObject({ high: { delayed: 1, waiting: 0 } })
    await eventually(() => expect(done).toHaveLength(1))
    expect((done[0] ?? 0) - added).toBeGreaterThanOrEqual(295)
  })

  test('progress and attempts are seen while a job runs', async () => {
    const slow = gate()
    const lanes = await world.working({
      slow: async (_data, job) => {
        await job.progress(40)
        await slow.pass()
      },
    })
    const id = await lanes.add('slow', 'x', { lane: 'low' })
    await slow.arrived
    expect(await lanes.active()).toMatchObject([{ id, state: 'active', progress: 40 }])
    slow.open()
  })

  test('a job that nobody here can do is a dead letter that says so', async () => {
    const lanes = await world.working({})
    await lanes.add('unknown', 1, { lane: 'high', attempts: 5 })
    await eventually(async () =>
      expect(await lanes.deadLetters()).toMatchObject([
        { error: 'Nothing here does jobs of the kind "unknown".' },
      ]),
    )
  })

  test('an unknown id is not found, and what has ended cannot be cancelled', async () => {
    const lanes = await world.working({ quick: async () => 1 })
    await expect(lanes.find('high-none')).rejects.toMatchObject({ code: 'not_found' })
    await expect(lanes.cancel('nonsense')).rejects.toMatchObject({ code: 'not_found' })
    const id = await lanes.add('quick', 1, { lane: 'high' })
    await eventually(async () => expect((await lanes.find(id)).state).toBe('completed'))
    await expect(lanes.cancel(id)).rejects.toMatchObject({ code: 'conflict' })
    await expect(lanes.retry(id)).rejects.toMatchObject({ code: 'conflict' })
  })
})
