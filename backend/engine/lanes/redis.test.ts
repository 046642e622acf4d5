import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testLog } from '../../test/log.ts'
import { testRedis, type TestRedis } from '../../test/redis.ts'
import { createLanes } from './lanes.ts'
import type { Lanes } from './lane.ts'

let redis: TestRedis
beforeAll(async () => {
  redis = await testRedis()
})
afterAll(() => redis.stop())

function lanesOn(url: string): { lanes: Lanes; entries: ReturnType<typeof testLog>['entries'] } {
  const { log, entries } = testLog()
  return { lanes: createLanes({ backend: { kind: 'redis', url }, concurrency: 1, log }), entries }
}

async function setPolicy(policy: string): Promise<void> {
  const client = new Redis(redis.url)
  await client.config('SET', 'maxmemory-policy', policy)
  client.disconnect()
}

test('a Redis that evicts is refused with a sentence that names the setting and the policy', async () => {
  await setPolicy('allkeys-lru')
  const { lanes } = lanesOn(redis.url)
  await expect(lanes.start()).rejects.toMatchObject({
    code: 'bad_configuration',
    field: 'REDIS_QUEUE_URL',
    message: expect.stringContaining('maxmemory-policy allkeys-lru'),
  })
  await setPolicy('noeviction')
  await lanes.start()
  await lanes.stop()
})

test('a Redis that is away is used as soon as it is back', async () => {
  await redis.kill()
  const { lanes, entries } = lanesOn(redis.url)
  lanes.handle('echo', async (data) => data)
  await lanes.start()
  expect(entries.map(({ message }) => message)).toContain(
    'REDIS_QUEUE_URL: the Redis of the lanes does not answer yet.',
  )
  await expect(lanes.add('echo', 1, { lane: 'high' })).rejects.toMatchObject({
    code: 'unavailable',
  })
  await redis.start()
  expect(await lanes.runAll('echo', ['back'], { lane: 'high' })).toMatchObject([{ value: 'back' }])
  await lanes.stop()
})
