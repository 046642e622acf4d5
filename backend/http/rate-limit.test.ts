import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { MINUTE } from '../engine/clock.ts'
import { CRON_SECRET, httpWorld, problemOf, type HttpWorld } from '../test/http-world.ts'
import { addressOf } from './rate-limit.ts'

const PER_MINUTE = 20

let world: HttpWorld

beforeAll(async () => {
  world = await httpWorld({ rateLimitPerMinute: PER_MINUTE })
})
afterEach(() => void vi.useRealTimers())
afterAll(() => world.stop())

async function statusesOf(times: number, token: string, path = '/api/reports'): Promise<number[]> {
  const statuses: number[] = []
  for (let i = 0; i < times; i += 1) statuses.push((await world.get(path, token)).status)
  return statuses
}

const someone = (subject: string) => world.token({ subject })

test('a caller is told what he may do, what is left of it, and for how long', async () => {
  const { headers } = await world.get('/api/reports', await someone('reader'))
  expect(headers.get('ratelimit-policy')).toBe('"per-caller";q=20;w=60')
  expect(headers.get('ratelimit')).toMatch(/^"per-caller";r=19;t=(60|59)$/)
})

test('whoever has used his minute up is told when to come again, and others are not held up', async () => {
  const greedy = await someone('greedy')
  expect(await statusesOf(PER_MINUTE, greedy)).toEqual(Array(PER_MINUTE).fill(200))
  const refused = await world.get('/api/reports', greedy)
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(refused.headers.get('ratelimit')).toMatch(/^"per-caller";r=0;/)
  expect(await problemOf(refused)).toMatchObject({ status: 429, code: 'too_many_requests' })
  expect(await statusesOf(1, await someone('modest'))).toEqual([200])
})

const sly = (seconds: number) => world.token({ subject: 'sly' }, 600 + seconds)

test('another token, another path or another address does not give the same caller more', async () => {
  for (let i = 0; i < PER_MINUTE; i += 1) await world.get(`/api/reports?x=${i}`, await sly(i))
  for (const headers of [{}, { 'x-forwarded-for': '10.0.0.1' }, { 'x-real-ip': '10.0.0.2' }]) {
    expect((await world.get('/api/cron/jobs', await sly(99), headers)).status).toBe(429)
  }
})

test('people of the same name in two tenants are two callers', async () => {
  const of = (tenantId: string) => world.token({ subject: 'namesake', role: 'admin', tenantId })
  await statusesOf(PER_MINUTE, await of(world.a.id))
  expect(await statusesOf(1, await of(world.a.id))).toEqual([429])
  expect(await statusesOf(1, await of(world.b.id))).toEqual([200])
})

test('after a minute the caller is welcome again', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  const token = await someone('patient')
  expect((await statusesOf(PER_MINUTE + 1, token)).at(-1)).toBe(429)
  vi.setSystemTime(Date.now() + MINUTE + 1)
  expect(await statusesOf(1, token)).toEqual([200])
})

test('the platform scheduler has a minute of its own', async () => {
  expect((await statusesOf(PER_MINUTE + 1, CRON_SECRET)).at(-1)).toBe(429)
})

test('guessing tokens is limited per address, which holds up nobody who has a good one', async () => {
  const guesses: number[] = []
  for (let i = 0; i <= PER_MINUTE; i += 1) guesses.push(...(await statusesOf(1, `guess${i}`)))
  expect(guesses).toEqual([...Array<number>(PER_MINUTE).fill(401), 429])
  expect(await statusesOf(1, await someone('honest'))).toEqual([200])
})

test.each([
  ['192.0.2.1', 'address 192.0.2.1'],
  ['::ffff:192.0.2.1', 'address ::ffff:192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', 'address 2001:db8:1:2'],
  ['2001:db8:1:2::9', 'address 2001:db8:1:2'],
  ['2001:db8::9', 'address 2001:db8:0:0'],
  ['::1', 'address 0:0:0:0'],
  ['fe80::1%eth0', 'address fe80:0:0:0'],
])('the address %s is counted as "%s"', (ip, counted) => {
  expect(addressOf({ ip })).toBe(counted)
})
