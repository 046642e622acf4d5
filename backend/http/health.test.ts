import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { testApp, type TestApp } from '../test/app.ts'
import { testDatabase, type TestDatabase } from '../test/database.ts'
import { faultProxy, type FaultProxy } from '../test/fault-proxy.ts'
import { testRedis, type TestRedis } from '../test/redis.ts'

let database: TestDatabase
let postgres: FaultProxy
let redis: TestRedis
let network: FaultProxy
let app: TestApp

beforeAll(async () => {
  database = await testDatabase()
  redis = await testRedis()
  postgres = await faultProxy({ host: '127.0.0.1', port: Number(new URL(database.url).port) })
  network = await faultProxy({ host: '127.0.0.1', port: redis.port })
  app = await testApp({
    databaseUrl: postgres.through(database.url),
    redisUrl: network.through(redis.url),
    rateLimitPerMinute: 200,
  })
})
afterEach(async () => {
  await postgres.heal()
  await network.heal()
  await vi.waitFor(isWell, { timeout: 10_000 })
})
afterAll(async () => {
  await app.stop()
  await Promise.all([postgres.stop(), network.stop(), redis.stop(), database.drop()])
})

async function isWell(): Promise<void> {
  const { status } = await app.engine.health()
  if (status !== 'ok') throw new Error(status)
}

const UP = { status: 'ok', latency_ms: expect.any(Number) }

async function answerOf(path: string): Promise<{ status: number; body: unknown }> {
  const answer = await app.get(path)
  return { status: answer.status, body: await answer.json() }
}

test.each(['/health', '/api/system/health'])('%s names what the service needs', async (path) => {
  expect(await answerOf(path)).toEqual({
    status: 200,
    body: {
      status: 'ok',
      services: { postgres: UP, 'redis-cache': { ...UP, kind: 'redis' } },
      timestamp: expect.any(String),
      uptime_seconds: expect.any(Number),
    },
  })
})

test('without Redis the service is degraded and ready', async () => {
  await network.cut()
  expect(await answerOf('/health')).toMatchObject({
    status: 200,
    body: {
      status: 'degraded',
      services: { postgres: UP, 'redis-cache': { status: 'down', kind: 'redis' } },
    },
  })
  expect(await answerOf('/readyz')).toEqual({ status: 200, body: { status: 'ok' } })
})

test('without PostgreSQL health is down, but instances stay ready: the cache can be read', async () => {
  await postgres.cut()
  expect(await answerOf('/health')).toMatchObject({
    status: 503,
    body: { status: 'down', services: { postgres: { status: 'down' }, 'redis-cache': UP } },
  })
  expect(await answerOf('/readyz')).toEqual({ status: 200, body: { status: 'ok' } })
  expect(await answerOf('/livez')).toEqual({ status: 200, body: { status: 'ok' } })
})

test('whoever needs no token is not told addresses', async () => {
  await postgres.cut()
  await network.cut()
  const text = await (await app.get('/health')).text()
  expect(text).not.toMatch(/127\.0|ECONN|error/)
})

test('it is well again by itself', async () => {
  await postgres.cut()
  await answerOf('/health')
  await postgres.heal()
  expect(await answerOf('/health')).toMatchObject({ status: 200, body: { status: 'ok' } })
})

test('a PostgreSQL that hangs is named soon', async () => {
  await answerOf('/health')
  postgres.drop()
  const started = performance.now()
  expect(await answerOf('/health')).toMatchObject({
    status: 503,
    body: { services: { postgres: { status: 'down' } } },
  })
  expect(performance.now() - started).toBeLessThan(5000)
})

test('asking how it is costs the database one statement, however many ask', async () => {
  postgres.delay(50)
  const before = app.db.statements
  const answers = await Promise.all(Array.from({ length: 40 }, () => app.get('/health')))
  expect(answers.map(({ status }) => status)).toEqual(Array(40).fill(200))
  expect(app.db.statements - before).toBeLessThan(5)
})

test('health is limited per address, and the probes are not', async () => {
  const statuses = new Set<number>()
  for (let i = 0; i < 5; i += 1) {
    const answers = await Promise.all(Array.from({ length: 50 }, () => app.get('/health')))
    for (const { status } of answers) statuses.add(status)
  }
  expect([...statuses]).toEqual([200, 429])
  expect((await app.get('/livez')).status).toBe(200)
  expect((await app.get('/readyz')).status).toBe(200)
})
