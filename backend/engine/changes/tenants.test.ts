import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { changesWorld, type ChangesWorld } from '../../test/changes.ts'
import { eventually } from '../../test/eventually.ts'

let world: ChangesWorld

beforeAll(async () => {
  world = await changesWorld()
})
afterEach(() => world.settle())
afterAll(() => world.end())

describe('a tenant', () => {
  test('that is switched off is soon not answered any more, though its entry was warm', async () => {
    const tenant = await world.tenant()
    const follower = await world.follower()
    await follower.read(tenant)
    expect(await follower.read(tenant)).toMatchObject({ cache: 'HIT' })
    await world.db.query('update tenant set is_active = false where id = $1', [tenant])
    await follower.changes.drain()
    await eventually(() =>
      expect(follower.read(tenant)).rejects.toMatchObject({ code: 'not_found' }),
    )
  })

  test('that moves to another zone is computed anew, and one that was only seen is not', async () => {
    const [mover, visitor] = [await world.tenant(), await world.tenant()]
    const follower = await world.follower()
    await follower.changes.drain()
    await Promise.all([follower.read(mover), follower.read(visitor)])
    await world.db.query("update tenant set timezone = 'Asia/Tokyo' where id = $1", [mover])
    await world.db.query('update tenant set last_seen_at = now() where id = $1', [visitor])
    await follower.changes.drain()
    expect(await follower.read(mover)).toMatchObject({ cache: 'STALE' })
    expect(await follower.read(visitor)).toMatchObject({ cache: 'HIT' })
  })
})
