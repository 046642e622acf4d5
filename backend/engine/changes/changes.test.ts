// From a write to a warm entry.
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { changesWorld, type ChangesWorld, type Follower } from '../../test/changes.ts'
import { testClock } from '../../test/clock.ts'
import { eventually } from '../../test/eventually.ts'
import { onlyReport } from '../../test/reports.ts'
import type { Store } from '../cache/index.ts'
import { GLOBAL } from '../tenancy/index.ts'

let world: ChangesWorld

beforeAll(async () => {
  world = await changesWorld({ merges: true })
})
afterEach(() => world.settle())
afterAll(() => world.end())

/** Reads until it is a hit; then nothing of this tenant is on its way any more. */
const warmed = async ({ changes, read }: Follower, id: string): Promise<void> => {
  await changes.drain()
  await eventually(async () => expect(await read(id)).toMatchObject({ cache: 'HIT' }))
}
const dirtyEntries = async (): Promise<number> =>
  (await world.db.query('select from dirty_entry')).length

describe('a committed write', () => {
  test('makes the entry stale when it is drained, and a hit with the new data when it was warmed again', async () => {
    const follower = await world.follower({ rewarmMs: 10_000 })
    const { read, changes } = follower
    const id = await world.tenant()
    await warmed(follower, id)
    await world.say(id, 'changed')
    expect(await read(id)).toMatchObject({ cache: 'HIT', word: 'hello' })
    expect(await changes.drain()).toEqual({ changes: 1, moved: 2 })
    expect(await read(id)).toMatchObject({ cache: 'STALE', word: 'hello' })
    expect(await changes.rewarm()).toBeGreaterThan(0)
    expect(await read(id)).toMatchObject({ cache: 'HIT', word: 'changed' })
  })

  test('is followed by a process that nobody calls, and forgotten when all is done', async () => {
    const follower = await world.follower({ rewarmMs: 100 })
    const id = await world.tenant()
    await warmed(follower, id)
    follower.changes.start()
    await world.say(id, 'by itself')
    await eventually(async () =>
      expect(await follower.read(id)).toMatchObject({ cache: 'HIT', word: 'by itself' }),
    )
    await eventually(async () => expect(await dirtyEntries()).toBe(0))
  })

  test('makes the entry of all tenants stale too, which is warmed again', async () => {
    const follower = await world.follower()
    const id = await world.tenant()
    await warmed(follower, GLOBAL)
    await world.say(id, 'everywhere')
    await follower.changes.drain()
    await follower.changes.rewarm()
    const merged = await follower.read(GLOBAL)
    expect(merged.cache).toBe('HIT')
    expect(merged.word).toContain('everywhere')
  })

  test('of an inactive tenant is not computed', async () => {
    const { changes } = await world.follower()
    const id = await world.tenant()
    await world.db.query('update tenant set is_active = false where id = $1', [id])
    await changes.drain()
    await changes.rewarm()
    const before = await world.computations()
    await world.say(id, 'unseen')
    await changes.drain()
    await world.db.query('delete from dirty_entry where tenant = $1', [GLOBAL])
    expect(await changes.rewarm()).toBe(0)
    expect(await world.computations()).toBe(before)
  })
})

test('what a warming renewed after the changes were drained is not computed again', async () => {
  const { reports, changes, read } = await world.follower()
  const id = await world.tenant()
  await changes.drain()
  await reports.warm(onlyReport(reports), {})
  const before = await world.computations()
  await changes.rewarm()
  expect(await read(id)).toMatchObject({ cache: 'HIT' })
  expect(await world.computations()).toBe(before)
})

test('many tenants that changed are warmed again by few statements', async () => {
  const { db, changes, read } = await world.follower({ settings: { batchTenants: 50 } })
  const ids = await world.tenants(100)
  await changes.drain()
  await changes.rewarm()
  await world.db.query("update probe.tenants set word = 'all' where id = any ($1::uuid[])", [ids])
  const before = db.statements
  await changes.drain()
  await changes.rewarm()
  expect(db.statements - before).toBeLessThan(30)
  for (const id of ids) expect(await read(id)).toMatchObject({ cache: 'HIT', word: 'all' })
})

describe('a tenant that is written all the time', () => {
  test('is computed at once, and then not more often than it is allowed', async () => {
    const { clock, set } = testClock('2026-03-10T12:00:00Z')
    const { changes, read } = await world.follower({ clock, rewarmMs: 2000 })
    const id = await world.tenant()
    const write = async (word: string): Promise<number> => {
      await world.say(id, word)
      await changes.drain()
      await world.db.query('delete from dirty_entry where tenant = $1', [GLOBAL])
      return changes.rewarm()
    }
    expect(await write('one')).toBe(1)
    expect(await write('two')).toBe(0)
    set('2026-03-10T12:00:01.900Z')
    expect(await write('three')).toBe(0)
    const before = await world.computations()
    expect(await read(id)).toMatchObject({ cache: 'STALE', word: 'one' })
    expect(await world.computations()).toBe(before)
    set('2026-03-10T12:00:02Z')
    expect(await changes.rewarm()).toBe(1)
    expect(await read(id)).toMatchObject({ cache: 'HIT', word: 'three' })
  })

  test('and which is written again while it is computed is computed once more', async () => {
    const { changes, read } = await world.follower()
    const id = await world.tenant()
    await changes.drain()
    await changes.rewarm()
    await world.say(id, 'first')
    await changes.drain()
    const before = await world.computations()
    const gate = await world.closeGate()
    const rewarming = changes.rewarm()
    await eventually(async () => expect(await world.computations()).toBeGreaterThan(before))
    await world.say(id, 'second')
    await changes.drain()
    await gate.open()
    await rewarming
    await changes.rewarm()
    expect(await read(id)).toMatchObject({ cache: 'HIT', word: 'second' })
  })
})

describe('a tenant whose report fails', () => {
  test('keeps nobody else from being warmed again, and is not tried on and on', async () => {
    const { changes, read } = await world.follower()
    const [bad = '', good = ''] = await world.tenants(2)
    await changes.drain()
    await changes.rewarm()
    await world.make(bad, 'fail')
    await world.say(good, 'fine')
    await changes.drain()
    await world.db.query('delete from dirty_entry where tenant = $1', [GLOBAL])
    expect(await changes.rewarm()).toBe(2)
    expect(await changes.rewarm()).toBe(0)
    expect(await read(good)).toMatchObject({ cache: 'HIT', word: 'fine' })
    expect(await read(bad)).toMatchObject({ cache: 'STALE', word: 'hello' })
    await world.make(bad, 'answer')
  })
})

describe('the lag', () => {
  test('says what is not drained, what the cache does not know, and how old that is', async () => {
    const move = vi.fn<Store['move']>().mockRejectedValueOnce(new Error('away'))
    const { changes } = await world.follower({ around: () => ({ move }) })
    expect(await changes.lag()).toEqual({ changes: 0, unmoved: 0, cold: 0, oldestMs: 0 })
    const id = await world.tenant()
    const written = await changes.lag()
    expect(written).toMatchObject({ changes: 1, unmoved: 0 })
    expect(written.oldestMs).toBeGreaterThan(0)
    await expect(changes.drain()).rejects.toThrow('away')
    expect(await changes.lag()).toMatchObject({ changes: 0, unmoved: 2, cold: 2 })
    await changes.drain()
    expect(await changes.lag()).toMatchObject({ changes: 0, unmoved: 0, cold: 2, oldestMs: 0 })
    await world.db.query('delete from probe.tenants where id = $1', [id])
  })
})
