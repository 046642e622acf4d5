// What every store keeps. A new store is one more line in `stores`.
import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { entryId as id, testEntry as entryOf } from '../../test/entries.ts'
import { testLog } from '../../test/log.ts'
import { testRedis, type TestRedis } from '../../test/redis.ts'
import { HOUR, systemClock } from '../clock.ts'
import { createMemoryStore, createRedisStore, stateOf, type Claim, type Store } from './index.ts'
import type { EntryId } from './index.ts'
import { eventually } from '../../test/eventually.ts'

const LEASE = 10_000

let redis: TestRedis
beforeAll(async () => {
  redis = await testRedis()
})
afterAll(() => redis.stop())

const redisStore = (): Promise<Store> =>
  createRedisStore({
    url: redis.url,
    commandTimeoutMs: 5000,
    maxLifetimeMs: HOUR,
    log: testLog().log,
  })

const stores = [
  ['redis', redisStore],
  ['memory', async () => createMemoryStore({ maxBytes: 1_000_000, clock: systemClock })],
] as const

describe.each(stores)('the %s store', (kind, open) => {
  let store: Store
  beforeEach(async () => {
    await store?.stop()
    if (kind === 'redis') await flush(redis.url)
    store = await open()
  })
  afterAll(() => store.stop())

  const claim = async (one: EntryId, leaseMs = LEASE): Promise<Claim> => {
    const [claimed] = await store.claim([one], leaseMs)
    if (!claimed || claimed === 'held') throw new Error(`${one.key} is held`)
    return claimed
  }
  const put = async (one: EntryId, text?: string, lifetimeMs = HOUR): Promise<void> => {
    const claimed = await claim(one)
    const results = await store.write([
      { claim: claimed, entry: entryOf(claimed, text), lifetimeMs },
    ])
    expect(results).toEqual(['written'])
  }
  const bodyAt = async (one: EntryId): Promise<string | undefined> => {
    const [found] = await store.read([one])
    const isCurrent = found?.part?.header.epochs.every((epoch, i) => epoch === found.epochs[i])
    return isCurrent ? found?.part?.body.toString() : undefined
  }

  test('gives back the bytes that were written, and their header without them', async () => {
    await put(id('a'), '{"name":"Zoë ☕"}')
    expect(await bodyAt(id('a'))).toBe('{"name":"Zoë ☕"}')
    const [peeked] = await store.peek([id('a')])
    expect(peeked?.part).toMatchObject({ definition: 'v1', etag: '"1"' })
  })

  test('has nothing under a key that nobody wrote', async () => {
    expect(await store.read([id('a')])).toMatchObject([{ part: undefined }])
  })

  test('answers many keys in the order in which they were asked', async () => {
    await put(id('a'), 'A')
    await put(id('c'), 'C')
    const found = await store.read([id('c'), id('b'), id('a')])
    expect(found.map(({ part }) => part?.body.toString())).toEqual(['C', undefined, 'A'])
  })

  test('lets one of many compute an entry, and the next one when that is done', async () => {
    const claims = await Promise.all(
      Array.from({ length: 20 }, () => store.claim([id('a')], LEASE)),
    )
    const won = claims.flat().filter((one) => one !== 'held')
    expect(won).toHaveLength(1)
    await store.release(won)
    expect(await store.claim([id('a')], LEASE)).not.toEqual(['held'])
  })

  test('takes a lease away from a holder that sleeps, and refuses what it writes later', async () => {
    const slow = await claim(id('a'), 30)
    const next = await eventually(() => claim(id('a')))
    const late = { claim: slow, entry: entryOf(slow, 'late'), lifetimeMs: HOUR }
    expect(await store.write([late])).toEqual(['fenced'])
    const inTime = { claim: next, entry: entryOf(next, 'in time'), lifetimeMs: HOUR }
    expect(await store.write([inTime])).toEqual(['written'])
    expect(await bodyAt(id('a'))).toBe('in time')
  })

  test('lets a lease live on that is renewed', async () => {
    const mine = await claim(id('a'), 50)
    await claim(id('b'), 50)
    await store.renew([mine], LEASE)
    await eventually(() => claim(id('b')))
    expect(await store.claim([id('a')], LEASE)).toEqual(['held'])
  })

  test('does not touch a lease that is somebody else’s by now', async () => {
    const slow = await claim(id('a'), 30)
    await eventually(() => claim(id('a')))
    await store.renew([slow], 1)
    await claim(id('b'), 30)
    await eventually(() => claim(id('b')))
    expect(await store.claim([id('a')], LEASE)).toEqual(['held'])
  })

  test('does not give back a lease that is somebody else’s by now', async () => {
    const slow = await claim(id('a'), 30)
    await eventually(() => claim(id('a')))
    await store.release([slow])
    expect(await store.claim([id('a')], LEASE)).toEqual(['held'])
  })

  test.each([
    ['the tenant', { tenant: 'a' }],
    ['the report', { report: 'crm:bundle' }],
    ['everything', 'all'],
  ] as const)('refuses what was begun before %s was busted', async (_what, target) => {
    const claimed = await claim(id('a'))
    await store.bust(target)
    const write = { claim: claimed, entry: entryOf(claimed), lifetimeMs: HOUR }
    expect(await store.write([write])).toEqual(['busted'])
    expect(await bodyAt(id('a'))).toBeUndefined()
    await put(id('a'), 'begun after')
    expect(await bodyAt(id('a'))).toBe('begun after')
  })

  const stateAt = async (one: EntryId): Promise<string> => {
    const [found] = await store.read([one])
    if (!found?.part) return 'nothing'
    return stateOf(found.part.header, { ...found, now: Date.now(), definition: 'v1' })
  }

  test('makes an entry stale when the version of its tenant and report moves, and no other', async () => {
    const same = id('a', 'crm:bundle', 'include=false')
    const others = [id('b'), id('a', 'sales:year')]
    for (const one of [id('a'), same, ...others]) await put(one)
    await store.move([id('a')])
    expect(await Promise.all([id('a'), same].map(stateAt))).toEqual(['stale', 'stale'])
    expect(await Promise.all(others.map(stateAt))).toEqual(['fresh', 'fresh'])
    expect(await bodyAt(id('a'))).toBe('{"n":1}')
    const [peeked] = await store.peek([id('a')])
    expect(peeked?.version).not.toBe(peeked?.part?.version)
  })

  test('keeps what was begun before the version moved, stale at once, and what comes next is fresh', async () => {
    const claimed = await claim(id('a'))
    await store.move([id('a')])
    const late = { claim: claimed, entry: entryOf(claimed, 'late'), lifetimeMs: HOUR }
    expect(await store.write([late])).toEqual(['outdated'])
    expect([await bodyAt(id('a')), await stateAt(id('a'))]).toEqual(['late', 'stale'])
    await put(id('a'), 'next')
    expect([await bodyAt(id('a')), await stateAt(id('a'))]).toEqual(['next', 'fresh'])
  })

  test('a version that moves between the claims of two entries leaves the first one stale', async () => {
    const [one, two] = [id('a', 'crm:bundle', '1'), id('a', 'crm:bundle', '2')]
    const early = await claim(one)
    await store.move([one])
    await put(two)
    await store.write([{ claim: early, entry: entryOf(early), lifetimeMs: HOUR }])
    expect(await Promise.all([one, two].map(stateAt))).toEqual(['stale', 'fresh'])
  })

  test('moves nothing, versions that nobody has used, and more than one portion of them', async () => {
    await put(id('t2500'))
    await store.move([])
    await store.move(Array.from({ length: 3000 }, (_one, i) => id(`t${i}`)))
    expect(await stateAt(id('t2500'))).toBe('stale')
  })

  test('busts the entries of one tenant, counts them, and leaves the others', async () => {
    for (const one of [
      id('a'),
      id('a', 'crm:bundle', 'include=false'),
      id('a', 'sales:year'),
      id('b'),
    ]) {
      await put(one)
    }
    expect(await store.bust({ tenant: 'a' })).toBe(3)
    expect(await store.bust({ tenant: 'a' })).toBe(0)
    expect(await bodyAt(id('a'))).toBeUndefined()
    expect(await bodyAt(id('b'))).toBe('{"n":1}')
  })

  test('busts a report of all tenants, counts its entries, and leaves the other reports', async () => {
    for (const one of [id('a'), id('b'), id('b', 'sales:year')]) await put(one)
    expect(await store.bust({ report: 'crm:bundle' })).toBe(2)
    expect(await bodyAt(id('b'))).toBeUndefined()
    expect(await bodyAt(id('b', 'sales:year'))).toBe('{"n":1}')
  })

  test('busts everything and counts what there was, more than one portion of it too', async () => {
    const ids = Array.from({ length: 1203 }, (_one, i) => id(`t${i}`))
    const claims = (await store.claim(ids, LEASE)).filter((one) => one !== 'held')
    await store.write(claims.map((one) => ({ claim: one, entry: entryOf(one), lifetimeMs: HOUR })))
    await put(id('a', 'sales:year'))
    expect(await store.bust('all')).toBe(1204)
    expect(await store.bust('all')).toBe(0)
  })

  test('a tenant whose name looks like a pattern busts nothing but itself', async () => {
    await put(id('a'))
    expect(await store.bust({ tenant: '*' })).toBe(0)
    expect(await bodyAt(id('a'))).toBe('{"n":1}')
  })

  test('drops an entry when its lifetime is over, and does not count it as busted', async () => {
    await put(id('a'), 'short', 30)
    await eventually(async () => expect((await store.read([id('a')]))[0]?.part).toBeUndefined())
    expect(await store.bust({ tenant: 'a' })).toBe(0)
  })

  test('answers a ping', async () => {
    expect(await store.ping()).toBeGreaterThanOrEqual(0)
  })
})

async function flush(url: string): Promise<void> {
  const client = new Redis(url)
  await client.flushall()
  client.disconnect()
}
