import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../../test/eventually.ts'
import { SELECTS, viewWorld, type ViewWorld } from '../../test/views.ts'

let world: ViewWorld

beforeEach(async () => {
  world = await viewWorld()
})
afterEach(() => world.end())

const WITH_TAX = SELECTS.mv_days.replace('sum(amount)', 'sum(amount) * 2')
const amounts = async (view: string) => {
  const rows = await world.db.query<{ amount: string }>(`select amount from shop.${view}`)
  return rows.map(({ amount }) => Number(amount))
}
const indexes = () =>
  world.db.query(
    "select indexname, indexdef from pg_indexes where schemaname = 'shop' and tablename = 'mv_days' order by 1",
  )
const views = () =>
  world.db.query("select matviewname as name from pg_matviews where schemaname = 'shop' order by 1")

describe('views are installed', () => {
  test('in the order in which they read one another, with their indexes and their state', async () => {
    expect(await world.install()).toEqual([
      'made shop.mv_days',
      'made shop.mv_totals',
      'made shop.mv_staff',
    ])
    expect(await indexes()).toEqual([
      { indexname: 'mv_days_1_idx', indexdef: expect.stringMatching(/^CREATE INDEX .*\(day\)/) },
      {
        indexname: 'mv_days_key',
        indexdef: expect.stringMatching(/^CREATE UNIQUE INDEX .*\(tenant_id, day\)/),
      },
    ])
    expect(await world.state('mv_days')).toMatchObject({ age_seconds: 0, row_count: '0' })
    expect(await world.install()).toEqual([])
  })

  test('once, when several instances start at the same time', async () => {
    const done = await Promise.all([world.install(), world.install(), world.install()])
    const made = done.flat().filter((line) => line.startsWith('made'))
    expect(made).toEqual(['made shop.mv_days', 'made shop.mv_totals', 'made shop.mv_staff'])
  })

  test('so that SQL that names them plainly runs in psql', async () => {
    await world.install()
    const [path] = await world.db.query(
      'select setconfig from pg_db_role_setting join pg_database d on d.oid = setdatabase where datname = current_database()',
    )
    expect(path).toEqual({ setconfig: ['search_path="$user", public, shop'] })
  })

  test('in the place of one of the same name that was made by hand', async () => {
    await world.db.query('create schema shop')
    await world.db.query('create materialized view shop.mv_staff as select 1 as one')
    expect(await world.install()).toContain('rebuilt shop.mv_staff')
    expect(await world.db.query('select tenant_id, name from shop.mv_staff')).toEqual([])
    expect(await views()).toHaveLength(3)
  })

  test('unless a key holds null', async () => {
    await world.write(
      'mv_staff',
      'select t as tenant_id, name from shop.staff right join (values (null::uuid)) v (t) on true',
    )
    await expect(world.install()).rejects.toThrow(
      'The view mv_staff cannot be made: its key (tenant_id, name) is null in 1 rows.',
    )
  })

  test('unless two rows have the same key', async () => {
    await world.write(
      'mv_staff',
      "select tenant_id, 'Ada' as name from (values ('00000000-0000-0000-0000-000000000001'::uuid), ('00000000-0000-0000-0000-000000000001')) v (tenant_id)",
    )
    await expect(world.install()).rejects.toThrow(/mv_staff cannot be made: .*unique/)
  })

  test('unless a table has the name', async () => {
    await world.install()
    await world.db.query('drop materialized view shop.mv_staff')
    await world.db.query('create table shop.mv_staff (tenant_id uuid)')
    await world.db.query("delete from view_state where view_name = 'mv_staff'")
    await expect(world.install()).rejects.toThrow('it is no materialized view')
  })
})

describe('a view whose text changed is rebuilt', () => {
  test('while it is being read, with those above it', async () => {
    await world.install()
    await world.sell(3)
    const seen: number[] = []
    const over = new AbortController()
    const read = async (): Promise<void> => {
      while (!over.signal.aborted)
        seen.push(...(await amounts('mv_days')), ...(await amounts('mv_totals')))
    }
    const reading = Promise.all([read(), read(), read()])
    await world.install()
    for (const factor of [2, 3, 4, 5]) {
      await world.write(
        'mv_days',
        SELECTS.mv_days.replace('sum(amount)', `sum(amount) * ${factor}`),
      )
      expect(await world.install()).toEqual(['rebuilt shop.mv_days', 'rebuilt shop.mv_totals'])
    }
    over.abort()
    await reading
    expect([...(await amounts('mv_days')), ...(await amounts('mv_totals'))]).toEqual([15, 15])
    expect(new Set(seen)).toContain(6)
    expect(await views()).toEqual([
      { name: 'mv_days' },
      { name: 'mv_staff' },
      { name: 'mv_totals' },
    ])
    expect(await indexes()).toHaveLength(2)
  })

  test('with the grants that it had', async () => {
    await world.install()
    await world.db.query('grant select on shop.mv_days to public')
    await world.write('mv_days', WITH_TAX)
    await world.install()
    const [grant] = await world.db.query(
      "select has_table_privilege('pg_monitor', 'shop.mv_days', 'select') as is_granted",
    )
    expect(grant).toEqual({ is_granted: true })
  })

  test('and every tenant counts as changed', async () => {
    await world.install()
    await world.db.query('delete from refresh_queue')
    await world.write('mv_staff', `${SELECTS.mv_staff} -- as before`)
    await world.install()
    expect(await world.db.query('select source, tenant_id from refresh_queue')).toEqual([
      { source: 'shop.mv_staff', tenant_id: null },
    ])
  })

  test('unless the new text does not run: the old one stays, and it has failed', async () => {
    await world.install()
    await world.sell(3)
    const all = await world.views()
    await all.refresh(['mv_days', 'mv_totals'], { triggeredBy: 'a test' })
    await world.write('mv_totals', 'select nothing from nowhere')
    expect(await world.install()).toEqual([])
    expect(await amounts('mv_totals')).toEqual([3])
    expect(await world.state('mv_totals')).toMatchObject({
      consecutive_failures: 1,
      last_error: expect.stringContaining('relation "nowhere" does not exist'),
    })
    expect(world.log.map(({ message }) => message)).toContain('A view is not as it should be.')
  })

  test('and one above it that cannot be is not taken for fresh', async () => {
    await world.install()
    await world.sell(3)
    await world.write('mv_days', 'select tenant_id, day, 1 as other from shop.sales')
    await world.install()
    const all = await world.views()
    const results = await all.refresh(['mv_totals'], { triggeredBy: 'a test' })
    expect(results).toMatchObject([{ status: 'failed' }])
    expect(await amounts('mv_totals')).toEqual([])
    await world.write('mv_days', SELECTS.mv_days)
    await world.install()
    expect(await amounts('mv_totals')).toEqual([3])
    expect(await views()).toHaveLength(3)
  })

  test('unless something reads it that the engine does not know', async () => {
    await world.install()
    await world.db.query('create view shop.mine as select amount from shop.mv_days')
    await world.write('mv_days', WITH_TAX)
    await world.install()
    expect((await world.state('mv_days')).last_error).toContain(
      'shop.mine would go on reading the old one: drop it, and make it again afterwards',
    )
    await world.db.query('drop view shop.mine')
    expect(await world.install()).toEqual(['rebuilt shop.mv_days', 'rebuilt shop.mv_totals'])
  })

  test('and what changes meanwhile is not taken for seen', async () => {
    await world.install()
    const tenant = await world.sell(1)
    const gate = await world.closeGate()
    await world.write('mv_staff', `${SELECTS.mv_staff} -- as before`)
    const installed = world.install()
    const note = `insert into view_change values ('mv_staff', $1, nextval('view_change_number'), now())`
    await eventually(async () => expect(await world.blocked()).toBe(1))
    await world.db.query(note, [tenant])
    await gate.open()
    await installed
    expect(await world.state('mv_staff')).toMatchObject({ changed_tenants: 1 })
  })
})

describe('a view that no domain has any more', () => {
  test('is dropped, and others are left alone', async () => {
    await world.install()
    await world.db.query('create materialized view shop.mine as select 1 as one')
    world.define('mv_totals', undefined)
    expect(await world.install()).toEqual(['dropped mv_totals'])
    expect(await views()).toEqual([{ name: 'mine' }, { name: 'mv_days' }, { name: 'mv_staff' }])
  })

  test('stays when something reads it', async () => {
    await world.install()
    await world.db.query('create view shop.mine as select name from shop.mv_staff')
    world.define('mv_staff', undefined)
    expect(await world.install()).toEqual([])
    expect(await world.state('mv_staff')).toBeDefined()
  })
})

describe('settings of a view', () => {
  test('are taken over without rebuilding it', async () => {
    await world.install()
    world.define('mv_staff', { targetLagSeconds: 5 })
    expect(await world.install()).toEqual([])
    expect(await world.state('mv_staff')).toMatchObject({ target_lag_seconds: 5, is_stale: false })
    await world.age('mv_staff', 6)
    expect(await world.state('mv_staff')).toMatchObject({ age_seconds: 6, is_stale: true })
  })
})
