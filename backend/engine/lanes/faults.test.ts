// What the lanes survive, on every backend: deaths, cut connections, cancellation, and being stopped.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../../test/eventually.ts'
import { gate } from '../../test/gate.ts'
import { LANE_BACKENDS, laneWorld, type LaneWorld } from '../../test/lanes.ts'
import type { JobContext } from './lane.ts'

const untilAborted = async (_data: unknown, { signal }: JobContext): Promise<never> => {
  await once(signal, 'abort')
  throw new Error('let go')
}

describe.each(LANE_BACKENDS)('the lanes on %s', (kind) => {
  let world: LaneWorld

  beforeAll(async () => {
    world = await laneWorld(kind)
  })
  afterEach(async () => {
    await world.proxy.heal()
    await world.clear()
  })
  afterAll(() => world.end())

  test('jobs of a process that was killed are taken over within seconds', async () => {
    const lanes = world.lanes()
    const child = startChild(kind, world.url)
    const results = lanes.runAll('hold', [1, 2], { lane: 'normal' })
    await eventually(async () => expect(await lanes.active()).toHaveLength(2))
    child.kill('SIGKILL')
    const killedAt = performance.now()
    lanes.handle('hold', async (data) => data)
    await lanes.start()
    expect(await results).toMatchObject([{ value: 1 }, { value: 2 }])
    expect(performance.now() - killedAt).toBeLessThan(15_000)
  }, 40_000)

  test('cut connections heal, and every job that was asked for is done', async () => {
    const slow = gate()
    const lanes = await world.working({ pass: async (data) => slow.pass().then(() => data) })
    const datas = Array.from({ length: 20 }, (_each, i) => i)
    const results = lanes.runAll('pass', datas, { lane: 'normal' })
    await slow.arrived
    await world.proxy.cut()
    slow.open()
    await world.proxy.heal()
    expect(await results).toEqual(datas.map((value) => ({ status: 'fulfilled', value })))
    expect(await lanes.deadLetters()).toEqual([])
  })

  test('jobs that are asked for while the connections are cut are done when they heal', async () => {
    const lanes = await world.working({ echo: async (data) => data })
    expect(await lanes.runAll('echo', [0], { lane: 'high' })).toMatchObject([{ value: 0 }])
    await world.proxy.cut()
    const results = lanes.runAll('echo', [1, 2], { lane: 'high' })
    await expect(lanes.add('echo', 3, { lane: 'high' })).rejects.toMatchObject({
      code: 'unavailable',
    })
    await world.proxy.heal()
    expect(await results).toMatchObject([{ value: 1 }, { value: 2 }])
  })

  test('whoever gives up leaves nothing behind: waiting jobs are removed, running ones cancelled', async () => {
    const started = gate()
    const worker = await world.working(
      {
        hold: (data, context) => {
          void started.pass()
          return untilAborted(data, context)
        },
      },
      { concurrency: 1, timing: { cancelPollMs: 50 } },
    )
    const giveUp = new AbortController()
    const asker = world.lanes()
    const results = asker.runAll('hold', [1, 2, 3], { lane: 'normal', signal: giveUp.signal })
    await started.arrived
    giveUp.abort(new Error('no longer wanted'))
    await expect(results).rejects.toThrow('no longer wanted')
    await eventually(async () => expect(await worker.active()).toEqual([]))
    const nothing = { waiting: 0, active: 0, delayed: 0, failed: 0, completed: 0 }
    expect((await worker.counts()).normal).toEqual(nothing)
    started.open()
  })

  test('a running job is cancelled from another process, and its name is free again', async () => {
    const worker = await world.working({ hold: untilAborted }, { timing: { cancelPollMs: 50 } })
    const other = world.lanes()
    const id = await other.add('hold', 1, { lane: 'low', once: 'held', attempts: 5 })
    await eventually(async () => expect(await worker.active()).toHaveLength(1))
    await other.cancel(id)
    await eventually(async () =>
      expect(other.find(id)).rejects.toMatchObject({ code: 'not_found' }),
    )
    expect(await other.deadLetters()).toEqual([])
    expect(await other.add('hold', 2, { lane: 'low', once: 'held' })).not.toBe('AlreadyThere')
  })

  test('a waiting or delayed job that is cancelled is gone', async () => {
    const lanes = world.lanes()
    const waiting = await lanes.add('never', 1, { lane: 'low', once: 'name' })
    const delayed = await lanes.add('never', 2, { lane: 'low', delayMs: 60_000 })
    await Promise.all([waiting, delayed].map((id) => lanes.cancel(id)))
    await expect(lanes.find(waiting)).rejects.toMatchObject({ code: 'not_found' })
    expect((await lanes.counts()).low).toMatchObject({ waiting: 0, delayed: 0 })
    expect(await lanes.add('never', 3, { lane: 'high', once: 'name' })).not.toBe('AlreadyThere')
  })

  test('who waits for the result of a job learns that it was cancelled', async () => {
    const slow = gate()
    const lanes = await world.working({ hold: () => slow.pass() }, { timing: { letGoMs: 50 } })
    const results = lanes.runAll('hold', [1], { lane: 'low' })
    await slow.arrived
    const [job] = await lanes.active()
    await lanes.cancel(job?.id ?? '')
    expect(await results).toMatchObject([
      { status: 'rejected', reason: { message: 'The job was cancelled.' } },
    ])
    slow.open()
  })

  test('stop gives running jobs back at once, also those that do not obey their signal', async () => {
    const deaf = gate()
    const first = await world.working({ hold: () => deaf.pass() }, { timing: { letGoMs: 50 } })
    await first.add('hold', 'job', { lane: 'normal', once: 'held' })
    await deaf.arrived
    const began = performance.now()
    await first.stop()
    expect(performance.now() - began).toBeLessThan(2000)
    const done: unknown[] = []
    const second = await world.working({ hold: async (data) => done.push(data) })
    await eventually(() => expect(done).toEqual(['job']))
    // Sooner than it would be taken over from a process that died.
    expect(performance.now() - began).toBeLessThan(4500)
    expect(await second.deadLetters()).toEqual([])
    deaf.open()
  })

  test('stop ends within seconds while nothing can be reached, and may be called twice', async () => {
    const lanes = await world.working({ hold: untilAborted })
    await lanes.add('hold', 1, { lane: 'high' })
    await eventually(async () => expect(await lanes.active()).toHaveLength(1))
    await world.proxy.cut()
    const began = performance.now()
    await Promise.all([lanes.stop(), lanes.stop()])
    expect(performance.now() - began).toBeLessThan(9000)
    await expect(lanes.add('hold', 2, { lane: 'high' })).rejects.toMatchObject({
      code: 'unavailable',
    })
  })

  test('a start that is overtaken by the stop starts nothing', async () => {
    const lanes = world.lanes()
    const starting = lanes.start()
    await Promise.all([lanes.stop(), expect(starting).rejects.toThrow('it is stopped')])
    expect(lanes.isStarted).toBe(false)
  })

  test('a job that its process lost is told so', async () => {
    const reasons: unknown[] = []
    const worker = await world.working(
      {
        hold: async (_data, { signal }) => {
          await once(signal, 'abort')
          reasons.push(signal.reason)
        },
      },
      { timing: { lockMs: 400, stalledMs: 100 } },
    )
    await worker.add('hold', 1, { lane: 'normal' })
    await eventually(async () => expect(await worker.active()).toHaveLength(1))
    world.proxy.drop()
    const other = world.lanes({ isDirect: true, timing: { lockMs: 400, stalledMs: 100 } })
    other.handle('hold', async () => 'done elsewhere')
    await other.start()
    await eventually(async () => expect((await other.counts()).normal.completed).toBe(1))
    await world.proxy.heal()
    await eventually(() => expect(reasons).toMatchObject([{ why: 'lost' }]))
  })
})

function startChild(kind: string, url: string) {
  const door = pathToFileURL(join(import.meta.dirname, 'index.ts')).href
  const program = `
    import { createLanes } from ${JSON.stringify(door)}
    const log = { error() {}, warn() {}, info() {}, debug() {} }
    const backend = ${JSON.stringify({ kind, url })}
    const lanes = createLanes({ backend, log, concurrency: 4 })
    lanes.handle('hold', () => new Promise(() => undefined))
    await lanes.start()`
  const args = ['--import', 'tsx', '--input-type=module', '--eval', program]
  return spawn(process.execPath, args, { stdio: 'inherit' })
}
