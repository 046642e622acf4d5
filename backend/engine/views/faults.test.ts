import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../../test/eventually.ts'
import { viewWorld, type ViewWorld } from '../../test/views.ts'
import type { Views } from './index.ts'

let world: ViewWorld
let views: Views
let tenant: string

beforeAll(async () => {
  world = await viewWorld()
  world.define('mv_staff', { timeoutSeconds: 2 })
  await world.install()
  views = await world.views()
})
beforeEach(async () => {
  await world.db.query('truncate shop.sales, shop.staff')
  tenant = await world.sell(5)
  await world.db.query("insert into shop.staff values ($1, 'Ada')", [tenant])
  await refresh('mv_staff', 'mv_days')
  await world.db.query('delete from job_runs')
})
afterAll(() => world.end())

const refresh = (...names: string[]) => views.refresh(names, { triggeredBy: 'a test' })
const staff = () => world.db.query('select name from shop.mv_staff order by name')
const days = () => world.db.query('select amount from shop.mv_days')
const plan = async (): Promise<void> => {
  await world.hurry()
  await views.tick()
  await views.idle()
}

/** The failure is seen wherever somebody may look, readers keep the last good data, and others are refreshed. */
async function expectFailure(view: string, error: RegExp, status = 'failed'): Promise<void> {
  expect(await world.state(view)).toMatchObject({
    consecutive_failures: 1,
    last_error: expect.stringMatching(error),
    is_pending: true,
    not_before: expect.any(Date),
  })
  expect(await world.runs(view)).toMatchObject([
    { status, error_message: expect.stringMatching(error) },
  ])
  const other = view === 'mv_days' ? 'mv_staff' : 'mv_days'
  expect(await world.state(other)).toMatchObject({ consecutive_failures: 0, is_pending: false })
}

async function expectRecovery(view: string): Promise<void> {
  await plan()
  expect(await world.state(view)).toMatchObject({
    consecutive_failures: 0,
    last_error: null,
    is_pending: false,
  })
}

describe('a refresh that fails is written down, and made again when', () => {
  test('its connection was killed', async () => {
    const gate = await world.closeGate()
    const killed = refresh('mv_staff')
    await world.db.query("insert into shop.staff values ($1, 'Bob')", [tenant])
    await eventually(async () => {
      const rows = await world.db.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'prewarm views' and wait_event_type = 'Lock'",
      )
      expect(rows).toHaveLength(1)
    })
    expect(await killed).toMatchObject([{ status: 'failed' }])
    await gate.open()
    await expectFailure('mv_staff', /terminat/)
    expect(await staff()).toEqual([{ name: 'Ada' }])
    await expectRecovery('mv_staff')
    expect(await staff()).toEqual([{ name: 'Ada' }, { name: 'Bob' }])
  })

  test('it took longer than it may', async () => {
    const gate = await world.closeGate()
    expect(await refresh('mv_staff')).toMatchObject([{ status: 'failed' }])
    await gate.open()
    await expectFailure('mv_staff', /statement timeout/, 'timeout')
    expect(await staff()).toEqual([{ name: 'Ada' }])
    await expectRecovery('mv_staff')
  })

  test('somebody else has locked the view', async () => {
    const impatient = await world.views({ lockTimeoutMs: 100 })
    await world.db.transaction(async (tx) => {
      await tx.query('refresh materialized view concurrently shop.mv_days')
      const results = await impatient.refresh(['mv_days'], { triggeredBy: 'a test' })
      expect(results).toMatchObject([{ status: 'failed' }])
      expect(await days()).toEqual([{ amount: '5' }])
    })
    await expectFailure('mv_days', /lock timeout/)
    await expectRecovery('mv_days')
  })

  test('there are two rows of one key', async () => {
    await world.db.query("insert into shop.staff values ($1, 'Ada')", [tenant])
    expect(await refresh('mv_staff')).toMatchObject([{ status: 'failed' }])
    await expectFailure('mv_staff', /duplicate/)
    expect(await staff()).toEqual([{ name: 'Ada' }])
    await world.db.query('delete from shop.staff')
    await expectRecovery('mv_staff')
    expect(await staff()).toEqual([])
  })

  test('a key is null', async () => {
    await world.db.query("insert into shop.sales (day, amount) values ('2026-01-02', 9)")
    expect(await refresh('mv_days')).toMatchObject([{ status: 'failed' }])
    await expectFailure('mv_days', /Its key \(tenant_id, day\) is null in 1 rows/)
    expect(await days()).toEqual([{ amount: '5' }])
    await world.db.query('delete from shop.sales where tenant_id is null')
    await expectRecovery('mv_days')
  })

  test('the disk is full', async () => {
    await world.db.query("insert into shop.full_disks values ('sda')")
    expect(await refresh('mv_staff')).toMatchObject([{ status: 'failed' }])
    await expectFailure('mv_staff', /No space left/)
    expect(await staff()).toEqual([{ name: 'Ada' }])
    await world.db.query('delete from shop.full_disks')
    await expectRecovery('mv_staff')
  })
})

describe('what a view needs is made again', () => {
  test('when its unique index was dropped', async () => {
    await world.db.query('drop index shop.mv_days_key')
    expect(await views.check()).toMatchObject([{ view: 'mv_days', problem: 'no unique index' }])
    expect(await refresh('mv_days')).toMatchObject([{ status: 'refreshed' }])
    expect(await views.check()).toEqual([])
  })

  test('when it was emptied', async () => {
    await world.db.query('refresh materialized view shop.mv_staff with no data')
    expect(await views.check()).toMatchObject([{ view: 'mv_staff', problem: 'not populated' }])
    expect(await refresh('mv_staff')).toMatchObject([{ status: 'refreshed' }])
    expect(await staff()).toEqual([{ name: 'Ada' }])
  })

  test('when it was dropped, by the planner and with the views above it', async () => {
    await world.db.query('drop materialized view shop.mv_days cascade')
    expect(await views.check()).toMatchObject([
      { view: 'mv_days', problem: 'missing' },
      { view: 'mv_totals', problem: 'missing' },
      { view: 'mv_totals', message: 'It reads shop.mv_days, which does not exist.' },
    ])
    await plan()
    await plan()
    expect(await views.check()).toEqual([])
    expect(await days()).toEqual([{ amount: '5' }])
    expect(await world.db.query('select amount from shop.mv_totals')).toEqual([{ amount: '5' }])
  })

  test('as soon as a dropped column is there again, and it fails until then', async () => {
    const drop = world.db.query('alter table shop.staff drop column name')
    await expect(drop).rejects.toThrow('other objects depend on it')
    await world.db.query('alter table shop.staff drop column name cascade')
    await plan()
    await expectFailure('mv_staff', /column "name" does not exist/)
    expect(await refresh('mv_staff')).toMatchObject([{ status: 'failed' }])
    await world.db.query("alter table shop.staff add column name text not null default 'Eve'")
    await plan()
    expect(await staff()).toEqual([{ name: 'Eve' }])
    await expectRecovery('mv_staff')
  })

  test('at the start, and what cannot be repaired counts as a failure', async () => {
    await world.db.query('drop index shop.mv_days_key')
    await world.db.query('alter table shop.staff rename to people')
    await world.db.query('drop materialized view shop.mv_staff')
    const started = await world.views()
    await started.start()
    await started.stop()
    expect((await views.check()).map(({ problem }) => problem)).toEqual([
      'missing',
      'source missing',
    ])
    expect((await world.state('mv_staff')).consecutive_failures).toBeGreaterThan(0)
    await world.db.query('alter table shop.people rename to staff')
    await expectRecovery('mv_staff')
  })
})
