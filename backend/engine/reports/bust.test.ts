import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TestApp } from '../../test/app.ts'
import { probe, probeData, readProbe, type Probe } from '../../test/probe.ts'
import { onlyReport } from '../../test/reports.ts'
import { testRedis, type TestRedis } from '../../test/redis.ts'
import { wholeTenant } from './request.ts'
import { eventually } from '../../test/eventually.ts'

let world: Probe
let redis: TestRedis
let app: TestApp
let other: TestApp

beforeAll(async () => {
  ;[world, redis] = await Promise.all([probe(), testRedis()])
  const options = { redisUrl: redis.url, settings: { localTrustMs: 1000 } }
  ;[app, other] = await Promise.all([world.app(options), world.app(options)])
})
afterAll(async () => {
  await world.end()
  await redis.stop()
})

const tenant = async (): Promise<string> => {
  const [id = ''] = await world.tenants(1)
  return id
}
const read = (id: string, query = '') => readProbe(app, id, query)
const readAnew = (id: string) => read(id, '&bust_cache=true')
const clear = async (body: object): Promise<unknown> =>
  (await app.post('/api/reports/clear-cache', body, await app.token())).json()
const begun = async (number: number): Promise<void> =>
  eventually(async () => expect(await world.computations()).toBe(number))

describe('clearing the cache', () => {
  test('drops the entries of one tenant, in this process at once, and says how many', async () => {
    const [mine, theirs] = [await tenant(), await tenant()]
    await Promise.all([read(mine), read(theirs)])
    expect(await clear({ tenant_id: mine })).toMatchObject({ data: { cleared: true, entries: 1 } })
    expect((await read(mine)).cache).toBe('MISS')
    expect((await read(theirs)).cache).toBe('HIT')
  })

  test('during a computation: its reader gets his answer, and nobody else ever does', async () => {
    const id = await tenant()
    const before = await world.computations()
    const gate = await world.closeGate()
    const early = read(id)
    await begun(before + 1)
    await clear({ tenant_id: id })
    await world.say(id, 'changed')
    await gate.open()
    expect(await early).toMatchObject({ status: 200, cache: 'MISS', word: 'hello' })
    expect(await read(id)).toMatchObject({ cache: 'MISS', word: 'changed' })
  })

  test('of all tenants keeps out what a read with bust_cache had begun to compute', async () => {
    const id = await tenant()
    await read(id)
    const before = await world.computations()
    const gate = await world.closeGate()
    const early = readAnew(id)
    await begun(before + 1)
    await clear({})
    await world.say(id, 'changed')
    await gate.open()
    await early
    expect(await read(id)).toMatchObject({ cache: 'MISS', word: 'changed' })
  })
})

describe('a read with bust_cache', () => {
  test('does not look at the entry, and renews it for the others', async () => {
    const id = await tenant()
    await read(id)
    await world.say(id, 'changed')
    expect(await readAnew(id)).toMatchObject({ cache: 'BYPASS', word: 'changed' })
    expect(await read(id)).toMatchObject({ cache: 'HIT', word: 'changed' })
  })

  test('shares the next computation with all that arrive during one', async () => {
    const id = await tenant()
    const before = await world.computations()
    const gate = await world.closeGate()
    const first = readAnew(id)
    await begun(before + 1)
    const next = Array.from({ length: 10 }, () => askAnew(app, id))
    await world.say(id, 'changed')
    await gate.open()
    expect((await first).computation).toBe(before + 1)
    expect(new Set(await Promise.all(next))).toEqual(new Set([`${before + 2} changed`]))
  })

  test('does not settle for what another process had begun to compute', async () => {
    const id = await tenant()
    const before = await world.computations()
    const gate = await world.closeGate()
    const theirs = readProbe(other, id)
    await begun(before + 1)
    const mine = askAnew(app, id)
    await world.say(id, 'changed')
    await gate.open()
    expect(await theirs).toMatchObject({ computation: before + 1, word: 'hello' })
    expect(await mine).toBe(`${before + 2} changed`)
    expect(await read(id)).toMatchObject({ cache: 'HIT', word: 'changed' })
  })

  test('is answered with the last good entry, marked stale, when there are no new numbers', async () => {
    const id = await tenant()
    await read(id)
    await world.make(id, 'fail')
    expect(await readAnew(id)).toMatchObject({ status: 200, cache: 'STALE', word: 'hello' })
    expect(await read(id)).toMatchObject({ cache: 'HIT', word: 'hello' })
  })

  test('fails when there are neither new numbers nor old ones', async () => {
    const id = await tenant()
    await world.make(id, 'fail')
    expect(await readAnew(id)).toMatchObject({ status: 503 })
  })
})

/** Is under way when it returns; a request over HTTP might still be on its way. */
async function askAnew({ engine: { reports } }: TestApp, tenantId: string): Promise<string> {
  const request = { report: onlyReport(reports), scope: wholeTenant(tenantId), variant: null }
  const { entry } = await reports.read(request, { bust: true })
  const { computation, word } = probeData(entry)
  return `${computation} ${word}`
}
