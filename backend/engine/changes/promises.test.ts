// What holds whatever happens: no change is lost, and nobody is given old data as new.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { changesWorld, type ChangesWorld, type Follower } from '../../test/changes.ts'
import { testClock } from '../../test/clock.ts'
import { eventually } from '../../test/eventually.ts'
import { faultProxy, type FaultProxy } from '../../test/fault-proxy.ts'
import { onlyReport } from '../../test/reports.ts'

const LATEST_MS = 1000

let world: ChangesWorld
let proxy: FaultProxy
beforeAll(async () => {
  world = await changesWorld()
  proxy = await faultProxy({ host: '127.0.0.1', port: world.redis.port })
})
afterEach(() => world.settle())
afterAll(async () => {
  await world.end()
  await proxy.stop()
})

const warmed = async ({ changes, read }: Follower, id: string): Promise<void> => {
  await changes.drain()
  await eventually(async () => expect(await read(id)).toMatchObject({ cache: 'HIT' }))
}

test('warmed at midnight, and nothing changes: a hit at nine', async () => {
  const { clock, set } = testClock('2026-03-10T00:00:00Z')
  const { reports, changes, read } = await world.follower({ clock })
  const id = await world.tenant()
  await changes.drain()
  await reports.warm(onlyReport(reports), { renewOlderThan: clock() })
  const computations = await world.computations()
  set('2026-03-10T09:00:00Z')
  await changes.drain()
  await changes.rewarm()
  expect(await read(id)).toMatchObject({ cache: 'HIT' })
  expect(await world.computations()).toBe(computations)
})

describe('a second after a commit', () => {
  type Commit = { at: number; number: number }

  /** Writes numbers until it is time, and notes when each was committed. */
  const write = async (id: string, commits: Commit[], until: number): Promise<void> => {
    for (let number = 1; performance.now() < until; number += 1) {
      await world.say(id, String(number))
      commits.push({ at: performance.now(), number })
      await sleep(Math.random() * 150)
    }
  }
  /** By how many milliseconds too old an answer was that did not say so; 0 if none was. */
  const read = async (
    follower: Follower,
    { id, commits }: { id: string; commits: Commit[] },
    until: number,
  ): Promise<number> => {
    let worst = 0
    while (performance.now() < until) {
      const start = performance.now()
      const { cache, word } = await follower.read(id)
      const missed = commits.find(({ number }) => number > Number(word))
      if (cache !== 'STALE' && missed) worst = Math.max(worst, start - missed.at)
      await sleep(Math.random() * 10)
    }
    return worst
  }

  test('nobody among many readers is given what was before it as if it were new', async () => {
    const settings = { localTrustMs: 250 }
    const followers = await Promise.all(
      [1, 2].map(() => world.follower({ rewarmMs: 300, settings })),
    )
    const ids = await world.tenants(4)
    for (const id of ids) await world.say(id, '0')
    for (const { changes } of followers) changes.start()
    const until = performance.now() + 4000
    const histories = ids.map((id) => ({ id, commits: new Array<Commit>() }))
    const writers = histories.map(({ id, commits }) => write(id, commits, until))
    const readers = followers.flatMap((follower) =>
      histories.flatMap((history) => [1, 2].map(() => read(follower, history, until))),
    )
    const worst = Math.max(...(await Promise.all(readers)))
    await Promise.all(writers)
    expect(worst).toBeLessThan(LATEST_MS)
    for (const { id, commits } of histories) {
      const word = String(commits.at(-1)?.number)
      for (const follower of followers)
        await eventually(async () =>
          expect(await follower.read(id)).toMatchObject({ cache: 'HIT', word }),
        )
    }
  })

  test('nor is one who joins a computation that began before', async () => {
    const { changes, read: readOnce } = await world.follower({ settings: { localTrustMs: 250 } })
    const id = await world.tenant()
    await changes.drain()
    const before = await world.computations()
    const gate = await world.closeGate()
    const first = readOnce(id)
    await eventually(async () => expect(await world.computations()).toBe(before + 1))
    await world.say(id, 'changed')
    await changes.drain()
    const joining = readOnce(id)
    await gate.open()
    expect(await first).toMatchObject({ cache: 'STALE', word: 'hello' })
    expect(await joining).toMatchObject({ cache: 'STALE', word: 'hello' })
    await eventually(async () =>
      expect(await readOnce(id)).toMatchObject({ cache: 'HIT', word: 'changed' }),
    )
  })
})

test('a thousand changes in a second are followed by few statements, and none is lost', async () => {
  const follower = await world.follower({ rewarmMs: 500 })
  const ids = await world.tenants(10)
  for (const id of ids) await warmed(follower, id)
  follower.changes.start()
  const [statements, computations] = [follower.db.statements, await world.computations()]
  const start = performance.now()
  for (let i = 0; i < 1000; i += 10)
    await Promise.all(ids.map((id, k) => world.say(id, `${i + k}`)))
  for (const [k, id] of ids.entries())
    await eventually(async () =>
      expect(await follower.read(id)).toMatchObject({ cache: 'HIT', word: `${990 + k}` }),
    )
  const seconds = Math.ceil((performance.now() - start) / 1000)
  expect(follower.db.statements - statements).toBeLessThan(120 * seconds)
  expect((await world.computations()) - computations).toBeLessThan(30 * (seconds + 1))
  await eventually(async () =>
    expect(await follower.changes.lag()).toMatchObject({ changes: 0, unmoved: 0 }),
  )
})

describe('a drainer that dies', () => {
  test('after it took changes and before the cache knows of them leaves that to the next one', async () => {
    const hangs = new Promise<void>(() => undefined)
    const dying = await world.follower({ around: () => ({ move: () => hangs }) })
    const next = await world.follower()
    const id = await world.tenant()
    await warmed(next, id)
    await world.say(id, 'changed')
    void dying.changes.drain()
    await eventually(async () =>
      expect(await next.changes.lag()).toMatchObject({ changes: 0, unmoved: 1 }),
    )
    expect(await next.read(id)).toMatchObject({ cache: 'HIT', word: 'hello' })
    next.changes.start()
    await eventually(async () =>
      expect(await next.read(id)).toMatchObject({ cache: 'HIT', word: 'changed' }),
    )
  })

  test('after the cache knew and before the entry was warm leaves that to the next one, too', async () => {
    const { clock, set } = testClock('2026-03-10T12:00:00Z')
    const [dying, next] = await Promise.all([world.follower({ clock }), world.follower({ clock })])
    const id = await world.tenant()
    await warmed(next, id)
    await world.say(id, 'changed')
    await dying.changes.drain()
    await world.db.query("update dirty_entry set claimed_until = '2026-03-10T12:01:00Z'")
    expect(await next.changes.rewarm()).toBe(0)
    set('2026-03-10T12:01:00Z')
    expect(await next.changes.rewarm()).toBe(1)
    expect(await next.read(id)).toMatchObject({ cache: 'HIT', word: 'changed' })
  })
})

describe('while Redis is away', () => {
  test('changes are kept, the log says so once, and soon after it is back nobody is given old data', async () => {
    const follower = await world.follower({ redisUrl: proxy.through(world.redis.url) })
    const id = await world.tenant()
    await warmed(follower, id)
    follower.changes.start()
    await proxy.cut()
    await world.say(id, 'changed')
    await eventually(async () =>
      expect(await follower.changes.lag()).toMatchObject({ changes: 0, unmoved: 1 }),
    )
    expect(await follower.read(id)).toMatchObject({ cache: 'MISS', word: 'changed' })
    await sleep(2500)
    expect(
      follower.log.filter(({ message }) => message.startsWith('Following changes')),
    ).toHaveLength(1)
    await proxy.heal()
    const healed = performance.now()
    const other = await world.follower()
    let last = 0
    while (performance.now() < healed + 3000) {
      const { word, cache } = await other.read(id)
      if (word === 'hello' && cache !== 'STALE') last = performance.now() - healed
      await sleep(20)
    }
    expect(last).toBeLessThan(LATEST_MS)
    expect(await follower.read(id)).toMatchObject({ cache: 'HIT', word: 'changed' })
    expect(follower.log.map(({ message }) => message)).toContain('Following changes works again.')
  })

  test('for good, with all that it held, nothing old comes back', async () => {
    const follower = await world.follower()
    const id = await world.tenant()
    await warmed(follower, id)
    follower.changes.start()
    await world.redis.kill()
    await world.say(id, 'changed')
    await world.redis.start()
    await eventually(async () =>
      expect(await follower.read(id)).toMatchObject({ cache: 'HIT', word: 'changed' }),
    )
  })
})
