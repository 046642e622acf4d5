import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../../test/eventually.ts'
import { testLog } from '../../test/log.ts'
import { viewWorld, type ViewWorld } from '../../test/views.ts'
import { loadViews } from './index.ts'
import { refreshOnce } from './refresh.ts'
import { request } from './state.ts'

let world: ViewWorld

beforeAll(async () => {
  world = await viewWorld()
  await world.install()
})
afterAll(() => world.end())

const settled = async (): Promise<void> => {
  await world.db.query('update view_state set satisfied = requested, not_before = null')
  await world.db.query('delete from refresh_queue')
  await world.db.query('delete from view_change')
  await world.db.query('delete from job_runs')
}
const note = async (view: string, ...tenants: string[]): Promise<void> => {
  await world.db.query(
    `with renewed as (
       update view_change set change = nextval('view_change_number')
       where view_name = $1 and tenant_id = any ($2) returning tenant_id
     )
     insert into view_change select $1, tenant, nextval('view_change_number'), now()
     from unnest($2::uuid[]) tenant where tenant not in (select tenant_id from renewed)`,
    [view, tenants],
  )
}
const queued = () =>
  world.db.query("select source, tenant_id from refresh_queue where operation = 'REFRESH'")

describe('a refresh', () => {
  test('is a change of a source for the tenants that were behind, and for no others', async () => {
    const views = await world.views()
    const tenant = await world.sell(1)
    await world.sell(2)
    await settled()
    await note('mv_days', tenant)
    const results = await views.refresh(['mv_days'], { triggeredBy: 'a test' })
    expect(results).toMatchObject([{ view: 'mv_days', status: 'refreshed', error: null }])
    expect(await queued()).toEqual([{ source: 'shop.mv_days', tenant_id: tenant }])
    expect(await world.state('mv_days')).toMatchObject({ changed_tenants: 0, is_pending: false })
  })

  test('by hand in psql does the same bookkeeping', async () => {
    const tenant = await world.sell(3)
    await settled()
    await note('mv_days', tenant)
    const [result] = await world.db.query("select * from refresh_view('mv_days')")
    expect(result).toMatchObject({ view_name: 'mv_days', status: 'refreshed', error: null })
    expect(await queued()).toEqual([{ source: 'shop.mv_days', tenant_id: tenant }])
    expect(await world.runs('mv_days')).toMatchObject([{ status: 'success', triggered_by: 'sql' }])
  })

  test('leaves what changed while it ran, and a request that came meanwhile', async () => {
    const views = await world.views()
    const [early, late, twice] = [await world.sell(1), await world.sell(1), await world.sell(1)]
    await settled()
    await note('mv_staff', early, twice)
    const gate = await world.closeGate()
    await views.request('mv_staff', 'first')
    await views.tick()
    await eventually(async () => expect(await world.blocked()).toBe(1))
    await note('mv_staff', late, twice)
    await views.request('mv_staff', 'second')
    await gate.open()
    await views.idle()
    const behind = await world.db.query('select tenant_id from view_change')
    expect(new Set(behind.map((row) => row['tenant_id']))).toEqual(new Set([late, twice]))
    expect(await world.state('mv_staff')).toMatchObject({ is_pending: true })
    await views.tick()
    await views.idle()
    expect(await world.state('mv_staff')).toMatchObject({ is_pending: false, changed_tenants: 0 })
    expect(await world.runs('mv_staff')).toHaveLength(2)
  })

  test('that another session makes already is waited for, and made again if it began too early', async () => {
    const [one, other] = [await world.views(), await world.views()]
    await settled()
    const gate = await world.closeGate()
    const first = one.refresh(['mv_staff'], { triggeredBy: 'one' })
    await eventually(async () => expect(await world.blocked()).toBe(1))
    await world.db.query("insert into shop.staff values (gen_random_uuid(), 'Late')")
    const second = other.refresh(['mv_staff'], { triggeredBy: 'other' })
    const third = other.refresh(['mv_staff'], { triggeredBy: 'other' })
    await eventually(async () => expect(await requested()).toBe(3))
    await gate.open()
    for (const results of await Promise.all([first, second, third]))
      expect(results).toMatchObject([{ status: 'refreshed' }])
    expect(await world.db.query('select name from shop.mv_staff')).toEqual([{ name: 'Late' }])
    expect(await world.runs('mv_staff')).toHaveLength(2)
  })

  test('is not waited for when what was asked for is done already', async () => {
    const [one, other] = [await world.views(), await world.views()]
    await settled()
    const gate = await world.closeGate()
    const first = one.refresh(['mv_staff'], { triggeredBy: 'one' })
    await eventually(async () => expect(await world.blocked()).toBe(1))
    const second = other.refresh(['mv_staff'], { triggeredBy: 'other' })
    await eventually(async () => expect(await requested()).toBe(2))
    await world.db.query('update view_state set satisfied = requested')
    expect(await second).toMatchObject([{ status: 'refreshed' }])
    expect(await world.blocked()).toBe(1)
    await gate.open()
    await first
  })

  test('for a request that another session has satisfied meanwhile does nothing', async () => {
    await settled()
    const catalog = await loadViews([world.domain])
    const { log } = testLog()
    const parts = { catalog, db: world.db, patientDb: world.db, log, lockTimeoutMs: 1000 }
    const view = catalog.all.find(({ name }) => name === 'mv_staff')
    const number = await request(world.db, 'mv_staff', 'two sessions')
    if (!view || number === undefined) throw new Error('There is no such view.')
    const attempt = () =>
      refreshOnce(parts, view, {
        triggeredBy: 'one of two sessions',
        onlyRequested: false,
        request: number,
        signal: new AbortController().signal,
      })
    expect(await attempt()).toMatchObject({ status: 'refreshed' })
    expect(await attempt()).toMatchObject({ status: 'skipped' })
    expect(await world.runs('mv_staff')).toHaveLength(1)
  })

  test('by hand of a view that another session is at does not wait', async () => {
    const views = await world.views()
    await settled()
    const gate = await world.closeGate()
    const refresh = views.refresh(['mv_staff'], { triggeredBy: 'a test' })
    await eventually(async () => expect(await world.blocked()).toBe(1))
    const [result] = await world.db.query("select * from refresh_view('mv_staff')")
    expect(result).toMatchObject({ status: 'skipped', error: 'It is being refreshed already.' })
    expect(await world.state('mv_staff')).toMatchObject({ is_refreshing: true })
    await gate.open()
    await refresh
  })

  test('of several views goes on when one fails', async () => {
    await settled()
    await world.db.query("insert into shop.full_disks values ('sda')")
    const results = await world.db.query(
      "select view_name, status, error from refresh_views('{mv_staff,mv_days,mv_nothing}')",
    )
    await world.db.query('delete from shop.full_disks')
    expect(results).toEqual([
      {
        view_name: 'mv_staff',
        status: 'failed',
        error: 'could not extend file: No space left on device',
      },
      { view_name: 'mv_days', status: 'refreshed', error: null },
      { view_name: 'mv_nothing', status: 'failed', error: 'There is no view "mv_nothing".' },
    ])
  })

  test('that is stopped leaves no trace, and stays asked for', async () => {
    const views = await world.views({ drainMs: 1 })
    await settled()
    const gate = await world.closeGate()
    const refresh = views.refresh(['mv_staff'], { triggeredBy: 'a test' })
    await eventually(async () => expect(await world.blocked()).toBe(1))
    await views.stop()
    expect(await refresh).toMatchObject([{ status: 'skipped', error: 'It was stopped.' }])
    expect(await world.state('mv_staff')).toMatchObject({ is_pending: true })
    expect(await world.runs('mv_staff')).toEqual([])
    await gate.open()
  })

  test('of an unknown view is refused, with what was probably meant', async () => {
    const views = await world.views()
    const refresh = views.refresh(['mv_dais'], { triggeredBy: 'a test' })
    await expect(refresh).rejects.toThrow('There is no view "mv_dais". Did you mean "mv_days"?')
  })
})

async function requested(): Promise<number> {
  const [row] = await world.db.query<{ open: number }>(
    "select (requested - satisfied)::integer as open from view_state where view_name = 'mv_staff'",
  )
  return row?.open ?? 0
}
