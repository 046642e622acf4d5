import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { entryId, testEntry } from '../../test/entries.ts'
import { testLog } from '../../test/log.ts'
import { testRedis, type TestRedis } from '../../test/redis.ts'
import { HOUR } from '../clock.ts'
import { createRedisStore, type EntryId, type Store, type WriteResult } from './index.ts'

const LEASE = 10_000

let redis: TestRedis
let client: Redis
let store: Store
beforeAll(async () => {
  redis = await testRedis()
  client = new Redis(redis.url)
  client.on('error', () => undefined)
})
beforeEach(async () => {
  await client.flushall()
  const options = { url: redis.url, commandTimeoutMs: 5000, maxLifetimeMs: HOUR }
  store = await createRedisStore({ ...options, log: testLog().log })
})
afterEach(() => store.stop())
afterAll(async () => {
  client.disconnect()
  await redis.stop()
})

const put = async (id: EntryId, text?: string): Promise<WriteResult | undefined> => {
  const [claim] = await store.claim([id], LEASE)
  if (!claim || claim === 'held') throw new Error('held')
  const [result] = await store.write([{ claim, entry: testEntry(claim, text), lifetimeMs: HOUR }])
  return result
}

describe('in Redis', () => {
  test('an entry lies under its own plain key, readable, with a time to live', async () => {
    const one = { key: 'dashboard:bundle:a:include=true', tenant: 'a', report: 'crm:bundle' }
    await put(one, '{"stats":{}}')
    expect(await client.keys('dashboard:bundle:*')).toEqual([one.key])
    expect((await client.get(one.key))?.split('\n')[1]).toBe('{"stats":{}}')
    expect(await client.ttl(one.key)).toBeGreaterThan(3500)
  })

  test('neither reading nor busting sends KEYS or SCAN', async () => {
    await client.config('RESETSTAT')
    await put(entryId('a'))
    await store.read([entryId('a')])
    for (const target of [{ tenant: 'a' }, { report: 'crm:bundle' }, 'all'] as const)
      await store.bust(target)
    const used = await client.info('commandstats')
    expect(used).toContain('cmdstat_get')
    expect(used).not.toMatch(/cmdstat_(keys|scan)/)
  })

  test('an entry whose epoch was evicted is not served any more', async () => {
    await put(entryId('a'))
    await client.del('prewarm:epoch:tenant:a')
    const [found] = await store.read([entryId('a')])
    expect(found?.epochs[0]).toBeNull()
  })

  test('an entry whose version was evicted is stale, and the next one is not', async () => {
    const id = entryId('a')
    await put(id)
    await client.del('prewarm:version:crm:bundle:a')
    const [found] = await store.read([id])
    expect(found?.version).toBeNull()
    await put(id)
    const [next] = await store.read([id])
    expect(next?.version).toBe(next?.part?.header.version)
  })

  test('scripts that Redis has forgotten are sent again', async () => {
    await put(entryId('a'))
    await client.script('FLUSH')
    expect(await put(entryId('a'))).toBe('written')
    expect(await store.bust('all')).toBe(1)
  })

  test('a claim that was given up on while Redis hung holds nobody up when Redis goes on', async () => {
    const impatient = {
      url: redis.url,
      commandTimeoutMs: 100,
      maxLifetimeMs: HOUR,
      log: testLog().log,
    }
    await store.stop()
    store = await createRedisStore(impatient)
    await store.ping()
    redis.pause()
    const given = store.claim([entryId('hung')], LEASE).finally(() => redis.resume())
    await expect(given).rejects.toMatchObject({ code: 'unavailable' })
    const [claimed] = await vi.waitFor(() => store.claim([entryId('hung')], LEASE), {
      timeout: 5000,
    })
    expect(claimed).not.toBe('held')
  })

  test('a Redis that is gone is a clear error at once, and works again when it is back', async () => {
    await redis.kill()
    await expect(store.read([entryId('a')])).rejects.toMatchObject({ code: 'unavailable' })
    await redis.start()
    await vi.waitFor(() => store.ping(), { timeout: 10_000, interval: 100 })
    expect(await put(entryId('a'))).toBe('written')
  })
})
