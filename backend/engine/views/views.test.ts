import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { viewWorld, type ViewWorld } from '../../test/views.ts'

let world: ViewWorld

beforeAll(async () => {
  world = await viewWorld()
  await world.install()
})
afterAll(() => world.end())

describe('a view', () => {
  test('is made, requested, refreshed by the planner, and its age is known', async () => {
    const views = await world.views()
    const tenant = await world.sell(3, 4)
    await views.request('mv_days', 'a test')
    await views.tick()
    await views.idle()
    expect(await world.db.query('select * from shop.mv_days')).toMatchObject([
      { tenant_id: tenant, amount: '7', sales: '2' },
    ])
    const freshness = await world.db.query('select * from get_view_freshness()')
    expect(freshness).toMatchObject([
      { view_name: 'mv_days', age_seconds: 0 },
      { view_name: 'mv_staff' },
      { view_name: 'mv_totals' },
    ])
    expect(await world.state('mv_days')).toMatchObject({ is_pending: false, row_count: '1' })
  })
})
