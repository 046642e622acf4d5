// What readers over HTTP may be given after a write, on the shortest path there is to an answer.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TestApp } from './app.ts'
import { eventually } from './eventually.ts'
import { market, readSum, untilHit, type Market, type Sum } from './market.ts'
import { probe, readProbe } from './probe.ts'
import { testRedis } from './redis.ts'

const LATEST_MS = 1000
const WRITING_MS = 5000

let world: Market
let apps: TestApp[]
let token: string

beforeAll(async () => {
  world = await market(['fruit', 'bread'], { isAlone: true })
  apps = await Promise.all([1, 2].map(() => world.app()))
  token = (await apps[0]?.token()) ?? ''
})
afterAll(() => world.end())

type Over = 'view' | 'table'
type Commit = { at: number; amount: number }

const read = (stall: string, tenant: string, over: Over, i = 0): Promise<Sum> =>
  readSum({ url: apps[i % apps.length]?.url ?? '', token }, { stall, tenant, over })

/** Sells again and again until it is time, and notes what was sold in all after each commit. */
async function write(tenant: string, until: number): Promise<Commit[]> {
  const commits: Commit[] = []
  for (let amount = 1; performance.now() < until; amount += 1) {
    await world.sell('fruit', tenant, String(amount), 1)
    commits.push({ at: performance.now(), amount })
    await sleep(Math.random() * 300)
  }
  return commits
}

type Seen = Sum & { start: number; over: Over }

async function readAll(
  tenant: string,
  { over, i }: { over: Over; i: number },
  until: number,
): Promise<Seen[]> {
  const seen: Seen[] = []
  while (performance.now() < until) {
    const start = performance.now()
    seen.push({ ...(await read('fruit', tenant, over, i)), start, over })
    await sleep(Math.random() * 10)
  }
  return seen
}

/** By how many milliseconds the answer was too old without saying so. */
function unmarkedAge({ start, cache, amount }: Seen, commits: readonly Commit[]): number {
  if (cache === 'STALE') return 0
  const missed = commits.find((commit) => commit.amount > (amount ?? 0))
  return missed ? start - missed.at : 0
}

test('a second after a commit no answer is older that does not say so, be it over a view or a table', async () => {
  const tenants = await Promise.all([1, 2].map(() => world.tenant()))
  const until = performance.now() + WRITING_MS
  const worst = await Promise.all(
    tenants.map(async (tenant) => {
      const readers = (['view', 'table'] as const).flatMap((over) =>
        apps.map((_app, i) => readAll(tenant, { over, i }, until + 500)),
      )
      const commits = await write(tenant, until)
      const seen = (await Promise.all(readers)).flat()
      expect(seen.filter(({ status }) => status !== 200)).toEqual([])
      for (const over of ['view', 'table'] as const)
        for (const i of apps.keys())
          await untilHit(() => read('fruit', tenant, over, i), commits.length)
      return Math.max(...seen.map((each) => unmarkedAge(each, commits)))
    }),
  )
  expect(Math.max(...worst)).toBeLessThan(LATEST_MS)
}, 30_000)

test('who joins a computation that began long ago is told so, though the cache is away and cannot know', async () => {
  const slow = await probe()
  const redis = await testRedis()
  const app = await slow.app({ redisUrl: redis.url })
  const [tenant = ''] = await slow.tenants(1)
  await redis.kill()
  const gate = await slow.closeGate()
  const first = readProbe(app, tenant)
  await eventually(async () => expect(await slow.computations()).toBe(1))
  const soon = readProbe(app, tenant)
  await sleep(LATEST_MS)
  await slow.say(tenant, 'changed')
  await sleep(LATEST_MS + 100)
  const late = readProbe(app, tenant)
  // Nothing outside tells that it has given Redis up and joined.
  await sleep(500)
  await gate.open()
  expect(await first).toMatchObject({ cache: 'MISS', word: 'hello' })
  expect(await soon).toMatchObject({ cache: 'MISS', word: 'hello' })
  expect(await late).toMatchObject({ cache: 'STALE', word: 'hello', computation: 1 })
  expect(await readProbe(app, tenant)).toMatchObject({ cache: 'MISS', word: 'changed' })
  await slow.end()
  await redis.stop()
}, 30_000)

describe('a transaction that has refreshed a view by hand and stays open', () => {
  test('keeps nobody from any change, of that view or of another one', async () => {
    const tenant = await world.tenant()
    await world.sell('bread', tenant, 'a', 1)
    await world.sell('fruit', tenant, 'a', 1)
    for (const stall of ['bread', 'fruit'])
      for (const over of ['view', 'table'] as const)
        await untilHit(() => read(stall, tenant, over), 1)
    await world.sell('bread', tenant, 'b', 1)
    await world.db.transaction(async (tx) => {
      await tx.query("select refresh_view('mv_bread')")
      for (const item of ['c', 'd', 'e']) {
        await world.sell('bread', tenant, item, 1)
        await world.sell('fruit', tenant, item, 1)
        await eventually(async () =>
          expect(await world.db.query('select from refresh_queue')).toEqual([]),
        )
      }
      await untilHit(() => read('fruit', tenant, 'view'), 4)
      await untilHit(() => read('bread', tenant, 'table'), 5)
      expect(await read('bread', tenant, 'view')).toMatchObject({ status: 200, cache: 'STALE' })
    })
    await untilHit(() => read('bread', tenant, 'view'), 5)
    await eventually(async () => expect(await world.pending()).toEqual([]))
  }, 30_000)
})
