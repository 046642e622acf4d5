import { existsSync } from 'node:fs'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { testRedis, type TestRedis } from './redis.ts'

let redis: TestRedis
let client: Redis

beforeEach(async () => {
  redis = await testRedis()
  client = new Redis(redis.url, { retryStrategy: null, commandTimeout: 200 })
  client.on('error', () => undefined)
})

afterEach(async () => {
  client.disconnect()
  await redis.stop()
})

test('a test Redis answers', async () => {
  expect(await client.ping()).toBe('PONG')
})

test('a killed Redis is gone, and comes back empty on the same port', async () => {
  await client.set('key', 'value')
  await redis.kill()
  await expect(client.ping()).rejects.toThrow('Connection is closed')
  await redis.start()
  await client.connect()
  expect(await client.get('key')).toBeNull()
})

test('a paused Redis answers nothing until it is resumed', async () => {
  await client.ping()
  redis.pause()
  await expect(client.ping()).rejects.toThrow('Command timed out')
  redis.resume()
  expect(await client.ping()).toBe('PONG')
})

test('a stopped Redis leaves no folder, also when it was paused', async () => {
  const [, folder = ''] = await client.config('GET', 'dir')
  redis.pause()
  await redis.stop()
  expect(existsSync(folder)).toBe(false)
})
