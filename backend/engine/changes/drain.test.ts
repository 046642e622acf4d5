// What follows from changes: which entries are dirty, which views are behind, and which of them are asked for.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { gate } from '../../test/gate.ts'
import type { Domain, View } from '../domain.ts'
import { drainBatch } from './drain.ts'
import { installReaders } from './install-readers.ts'

const [A, B, GONE] = ['a', 'b', 'c'].map(
  (letter) => `${letter.repeat(8)}-0000-4000-8000-000000000000`,
)

const byTenant = { tenantColumn: 'tenant_id' }
const view = (reads: string[], refresh: View['refresh'] = []): View => ({
  uniqueBy: ['tenant_id'],
  reads,
  refresh,
  targetLagSeconds: 60,
})
const report = { title: 'Report', changesAt: 'never' } as const

// orders ← daily ← monthly; direct reads orders, daily_report reads daily and stock, monthly_report reads monthly.
const shop: Domain = {
  name: 'shop',
  folder: import.meta.dirname,
  sources: { orders: byTenant, stock: byTenant },
  views: {
    daily: view(['orders'], [{ onChange: true, debounceSeconds: 60 }]),
    monthly: view(['daily'], [{ everySeconds: 60 }]),
  },
  reports: {
    direct: { ...report, reads: ['orders'], mergesTenants: true },
    daily_report: { ...report, reads: ['daily', 'stock'] },
    monthly_report: { ...report, reads: ['monthly'] },
  },
  jobs: {},
  schedules: [],
}

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
  await installReaders(database.db, [shop])
})
beforeEach(async () => {
  await sql(`
    truncate refresh_queue, dirty_entry, view_change;
    delete from view_state;
    delete from tenant;
    insert into tenant (id, name, is_active) values ('${A}', 'A', true), ('${B}', 'B', true), ('${GONE}', 'Gone', false);
    insert into view_state (view_name, domain, definition_hash, target_lag_seconds, key_columns, last_success_at, last_duration_ms, row_count)
    values ('daily', 'shop', '1', 60, '{tenant_id}', now(), 0, 0), ('monthly', 'shop', '1', 60, '{tenant_id}', now(), 0, 0)`)
})
afterAll(() => database.drop())

const sql = <Row extends object>(text: string) => database.db.query<Row>(text)
const change = (source: string, tenant: string | null = null) =>
  sql(
    `insert into refresh_queue (source, tenant_id, operation) values ('${source}', ${tenant ? `'${tenant}'` : 'null'}, 'UPDATE')`,
  )
const drain = () => drainBatch(database.db)
/** `report tenant`, with a star where it is to be warmed again. */
const dirty = async (): Promise<string[]> => {
  const rows = await sql<{ row: string }>(
    `select replace(report, 'shop:', '') || ' ' || case when tenant ~ '-' then left(tenant, 1) else tenant end || case when rewarms then '*' else '' end collate "C" as row
     from dirty_entry where not is_moved order by 1`,
  )
  return rows.map(({ row }) => row)
}
const behind = async (): Promise<string[]> => {
  const rows = await sql<{ row: string }>(
    `select distinct view_name || ' ' || left(tenant_id::text, 1) as row from view_change order by 1`,
  )
  return rows.map(({ row }) => row)
}
type State = { requested: number; reasons: string[]; waits: number | null }
const state = async (name: string): Promise<State | undefined> => {
  const rows = await sql<State>(
    `select requested::integer, reasons, round(extract(epoch from not_before - clock_timestamp()))::integer as waits
     from view_state where view_name = '${name}'`,
  )
  return rows[0]
}

describe('a change of a table', () => {
  test('makes every entry dirty that shows it; through a view it is warmed again later', async () => {
    await change('shop.orders', A)
    expect(await drain()).toBe(1)
    expect(await dirty()).toEqual([
      'daily_report a',
      'direct SUPERADMIN_GLOBAL*',
      'direct a*',
      'monthly_report a',
    ])
    expect(await sql('select from refresh_queue')).toEqual([])
  })

  test('makes the views behind that read it, and requests those which follow changes, once', async () => {
    await change('shop.orders', A)
    await change('shop.orders', B)
    await drain()
    expect(await behind()).toEqual(['daily a', 'daily b'])
    expect(await state('daily')).toEqual({ requested: 1, reasons: ['change'], waits: 60 })
    expect(await state('monthly')).toMatchObject({ requested: 0 })
  })

  test('does not put off a refresh that is due, but asks for one that begins after it', async () => {
    await change('shop.orders', A)
    await drain()
    await sql(
      "update view_state set not_before = now() + interval '5 seconds' where view_name = 'daily'",
    )
    await change('shop.orders', A)
    await drain()
    const daily = await state('daily')
    expect(daily).toMatchObject({ requested: 2, reasons: ['change'] })
    expect(daily?.waits).toBeLessThanOrEqual(5)
  })

  test('of which nobody reads anything is taken off the queue, and that is all', async () => {
    await change('shop.unread', A)
    expect(await drain()).toBe(1)
    expect([await dirty(), await behind()]).toEqual([[], []])
  })

  test('that no view shows leaves the views alone', async () => {
    await change('shop.stock', B)
    await drain()
    expect(await dirty()).toEqual(['daily_report b*'])
    expect([await behind(), await state('daily')]).toEqual([
      [],
      { requested: 0, reasons: [], waits: null },
    ])
  })

  test('of an inactive tenant, or of none that is known, is told to the cache and not warmed', async () => {
    await change('shop.stock', GONE)
    await drain()
    expect(await dirty()).toEqual(['daily_report c'])
  })

  test('of all tenants is one of each of them', async () => {
    await change('shop.stock')
    await drain()
    expect(await dirty()).toEqual(['daily_report a*', 'daily_report b*', 'daily_report c'])
  })
})

test('a refresh of a view is a change: its readers are warmed again, and the view above it is behind', async () => {
  await change('shop.daily', A)
  await drain()
  expect(await dirty()).toEqual(['daily_report a*', 'monthly_report a'])
  expect(await behind()).toEqual(['monthly a'])
})

test('a view that is not installed keeps nothing from being drained', async () => {
  await sql("delete from view_state where view_name = 'daily'")
  await change('shop.orders', A)
  expect(await drain()).toBe(1)
})

test('a further change of a dirty entry counts as another one', async () => {
  const numbers = () =>
    sql<{ change: string }>("select change from dirty_entry where report = 'shop:daily_report'")
  await change('shop.stock', A)
  await drain()
  const [first] = await numbers()
  await sql('update dirty_entry set is_moved = true')
  await change('shop.stock', A)
  await drain()
  const [second] = await numbers()
  expect(Number(second?.change)).toBeGreaterThan(Number(first?.change))
  expect(await dirty()).toEqual(['daily_report a*'])
})

describe('drainers', () => {
  test('that come at the same time take each change once, and do not wait for one another', async () => {
    const taking = gate()
    await change('shop.stock', A)
    const slow = database.db.transaction(async (tx) => {
      await tx.query('delete from refresh_queue')
      await taking.pass()
    })
    await taking.arrived
    await change('shop.stock', B)
    expect(await drain()).toBe(1)
    expect(await dirty()).toEqual(['daily_report b*'])
    taking.open()
    await slow
    expect(await drain()).toBe(0)
  })

  test('that die before the end have taken nothing', async () => {
    await change('shop.stock', A)
    const dying = database.db.transaction(async (tx) => {
      await tx.query('delete from refresh_queue')
      throw new Error('killed')
    })
    await expect(dying).rejects.toThrow('killed')
    expect(await drain()).toBe(1)
    expect(await dirty()).toEqual(['daily_report a*'])
  })

  test('many at once, over many writers, lose nothing and do not lock each other out', async () => {
    const writers = Array.from({ length: 60 }, (_one, i) =>
      change(i % 2 ? 'shop.stock' : 'shop.orders', i % 3 ? A : null),
    )
    const drainers = Array.from({ length: 20 }, drain)
    await Promise.all([...writers, ...drainers])
    const taken = (await Promise.all(drainers)).reduce((sum, count) => sum + count, 0)
    expect(taken + (await drain())).toBe(60)
    expect(await behind()).toEqual(['daily a', 'daily b', 'daily c'])
  })
})

test('a source_reader of before is replaced, and entries of reports that are gone are forgotten', async () => {
  await change('shop.stock', A)
  await drain()
  await installReaders(database.db, [{ ...shop, reports: {} }])
  expect(await dirty()).toEqual([])
  await installReaders(database.db, [shop])
})
