// How triggers come and go.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../../test/eventually.ts'
import { gate } from '../../test/gate.ts'
import { A, byTenant, openShop, shop, shopWith, shopWithout, type Shop } from '../../test/shop.ts'
import { installChanges } from './index.ts'

let place: Shop
beforeAll(async () => {
  place = await openShop()
})
beforeEach(() => place.empty())
afterAll(() => place.end())

describe('installing', () => {
  test('a second time does nothing, not even wait for a table that is locked', async () => {
    const free = gate()
    const locked = place.db.transaction(async (tx) => {
      await tx.query('lock table shop.orders in access exclusive mode')
      await free.pass()
    })
    await free.arrived
    expect(await installChanges(place.db, [shop])).toEqual([])
    free.open()
    await locked
  })

  test('makes again what somebody disabled or dropped', async () => {
    await place.sql(
      'alter table shop.orders disable trigger prewarm_insert; drop trigger prewarm_update on shop.orders',
    )
    expect(await installChanges(place.db, [shop])).toEqual(['shop.orders'])
    await place.sql(`insert into shop.orders values (1, '${A}'); update shop.orders set amount = 1`)
    expect(await place.noted()).toEqual(['shop.orders INSERT a', 'shop.orders UPDATE a'])
  })

  test('waits for a table that is written, without holding up other writers for long', async () => {
    await installChanges(place.db, [shopWithout('orders')])
    const writing = gate()
    const longOne = place.db.transaction(async (tx) => {
      await tx.query(`insert into shop.orders values (1, '${A}')`)
      await writing.pass()
    })
    await writing.arrived
    const installed = installChanges(place.db, [shop])
    await eventually(async () => {
      const waiting = await place.sql(
        `select from pg_locks where not granted and mode = 'ShareRowExclusiveLock'`,
      )
      expect(waiting).toHaveLength(1)
    })
    const start = performance.now()
    await place.sql(`insert into shop.orders values (2, '${A}')`)
    expect(performance.now() - start).toBeLessThan(3000)
    writing.open()
    await longOne
    expect(await installed).toEqual(['shop.orders'])
    await place.sql(`insert into shop.orders values (3, '${A}')`)
    expect(await place.noted()).toEqual(['shop.orders INSERT a'])
  })

  test('takes the triggers from what is no source any more, or may not have any', async () => {
    const untracked = { ...byTenant, isTracked: false }
    const without = shopWith({ ...shopWithout('lines').sources, lines: untracked })
    await installChanges(place.db, [without])
    expect(await place.triggersOn('shop.lines')).toBe(0)
    expect(await place.triggersOn('shop.orders')).toBe(4)
    await installChanges(place.db, [shop])
    expect(await place.triggersOn('shop.lines')).toBe(4)
  })

  test('by two instances at once is no trouble', async () => {
    await installChanges(place.db, [shopWith({})])
    expect(await place.triggersOn('shop.orders')).toBe(0)
    await Promise.all([1, 2, 3].map(() => installChanges(place.db, [shop])))
    expect(await place.triggersOn('shop.orders')).toBe(4)
  })
})

describe('a source', () => {
  test.each([
    ['without a table', { missing: byTenant }, /shop\.missing has no table/],
    [
      'without the tenant column',
      { orders: { tenantColumn: 'tenant' } },
      /no column tenant of type uuid/,
    ],
    [
      'whose tenants are no uuids',
      { orders: { tenantColumn: 'amount' } },
      /but one of type integer/,
    ],
    ['that is a view', { seen: byTenant }, /isTracked: false/],
    [
      'whose table is not named with its schema',
      { orders: { ...byTenant, table: 'orders' } },
      /schema\.table/,
    ],
  ])('%s is told of', async (_what, sources, message) => {
    await place.sql('create or replace view shop.seen as select tenant_id from shop.orders')
    await expect(installChanges(place.db, [shopWith(sources)])).rejects.toMatchObject({
      code: 'bad_configuration',
      message: expect.stringMatching(message),
    })
  })

  test('may be without a table when it is not tracked', async () => {
    const sources = { ...shop.sources, missing: { ...byTenant, isTracked: false } }
    await expect(installChanges(place.db, [shopWith(sources)])).resolves.toEqual([])
  })

  test('of two domains that disagree on its tenants is told of', async () => {
    const other = {
      ...shopWith({ mine: { table: 'shop.orders', tenantColumn: 'id' } }),
      name: 'other',
    }
    await expect(installChanges(place.db, [shop, other])).rejects.toThrow(
      'different tenant columns',
    )
  })
})
