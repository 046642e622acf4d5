// While the database is away, what is in the cache can be read, and the rest says so.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { TestApp } from '../../test/app.ts'
import { testClock } from '../../test/clock.ts'
import { faultProxy, type FaultProxy } from '../../test/fault-proxy.ts'
import { probe, readProbe, type Probe } from '../../test/probe.ts'
import { eventually } from '../../test/eventually.ts'

const NOON = '2026-03-10T12:00:00Z'
const NEXT_DAY = '2026-03-11T00:00:00Z'
const { clock, set: setTime } = testClock(NOON)

let world: Probe
let proxy: FaultProxy
let app: TestApp
let kept: string
let missing: string

beforeAll(async () => {
  world = await probe()
  const { hostname, port } = new URL(world.databaseUrl)
  proxy = await faultProxy({ host: hostname, port: Number(port) })
  const databaseUrl = proxy.through(world.databaseUrl)
  app = await world.app({ databaseUrl, clock, settings: { reportTimeoutMs: 500 } })
})
beforeEach(async () => {
  setTime(NOON)
  ;[kept = '', missing = ''] = await world.tenants(2)
  await readProbe(app, kept)
})
afterEach(() => proxy.heal())
afterAll(async () => {
  await world.end()
  await proxy.stop()
})

const faults = [
  ['is cut off', () => proxy.cut()],
  ['swallows everything', async () => proxy.drop()],
] as const

describe.each(faults)('while PostgreSQL %s', (_what, breakIt) => {
  test('fresh entries are hits, stale ones are served as such, missing ones say sorry', async () => {
    await breakIt()
    expect(await readProbe(app, kept)).toMatchObject({ status: 200, cache: 'HIT' })
    setTime(NEXT_DAY)
    expect(await readProbe(app, kept)).toMatchObject({ status: 200, cache: 'STALE' })
    const [again, sorry] = await Promise.all([
      readProbe(app, kept, '&bust_cache=true'),
      readProbe(app, missing),
    ])
    expect(again).toMatchObject({ status: 200, cache: 'STALE' })
    expect(sorry).toMatchObject({ status: 503, cache: null })
    expect(JSON.parse(sorry.body)).toMatchObject({
      code: 'unavailable',
      message: 'The database cannot be reached.',
    })
    await app.engine.reports.idle()
    await proxy.heal()
    expect(await readProbe(app, missing)).toMatchObject({ status: 200, cache: 'MISS' })
    await renewed(kept)
  })
})

test('a database that is away longer than the hard lifetime leaves nothing to serve', async () => {
  await proxy.cut()
  setTime('2026-03-12T04:00:00Z')
  expect(await readProbe(app, kept)).toMatchObject({ status: 503 })
})

/** A stale entry is renewed behind its next reader. */
async function renewed(id: string): Promise<void> {
  await eventually(async () => expect((await readProbe(app, id)).cache).toBe('HIT'))
}
