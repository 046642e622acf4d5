import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import { testApp, type TestApp } from '../test/app.ts'
import { testRedis, type TestRedis } from '../test/redis.ts'
import { viewWorld, type ViewWorld } from '../test/views.ts'

const SQL = `
  select asked.tenant_id,
         json_build_object(
           'total', coalesce(t.amount, 0),
           'days', (select count(*) from mv_days d where d.tenant_id = asked.tenant_id and d.day::text like :'month' || '%')
         ) as data
  from unnest(:'tenant_ids'::uuid[]) as asked (tenant_id)
  left join mv_totals t on t.tenant_id = asked.tenant_id`

let world: ViewWorld
let redis: TestRedis
let on: TestApp
let off: TestApp

beforeAll(async () => {
  world = await viewWorld()
  redis = await testRedis()
  await mkdir(join(world.domain.folder, 'reports'))
  await writeFile(join(world.domain.folder, 'reports', 'totals.sql'), SQL)
  await world.install()
  const totals = {
    title: 'Totals',
    reads: ['mv_totals', 'mv_days'],
    changesAt: 'never',
    path: '/api/shop/totals',
    isBare: true,
    params: z.object({ month: z.string().optional() }),
  } as const
  const domains = [{ ...world.domain, reports: { totals } }]
  const options = { databaseUrl: world.url, redisUrl: redis.url, domains }
  on = await testApp(options)
  off = await testApp({ ...options, settings: { readsViews: false } })
})
afterAll(async () => {
  await on.stop()
  await off.stop()
  await redis.stop()
  await world.end()
})

async function read(app: TestApp, tenantId: string, query = '') {
  const path = `/api/shop/totals?tenant_id=${tenantId}${query}`
  const response = await app.get(path, await app.token())
  return { body: await response.text(), cache: response.headers.get('x-cache') }
}

test('without views the answers are as with them, and need no refresh', async () => {
  const tenants = [await world.sell(3, 4), await world.sell(1), await world.sell()]
  const before = await Promise.all(tenants.map((id) => read(off, id)))
  expect(before.map(({ body }) => JSON.parse(body))).toEqual([
    { total: 7, days: 1 },
    { total: 1, days: 1 },
    { total: 0, days: 0 },
  ])
  await (await world.views()).refresh(['mv_days', 'mv_totals'], { triggeredBy: 'a test' })
  for (const [i, id] of tenants.entries()) {
    expect((await read(on, id)).body).toBe(before[i]?.body)
    for (const query of ['&month=2026-01', '&month=2030-01', '&month=']) {
      expect((await read(off, id, query)).body).toBe((await read(on, id, query)).body)
    }
  }
})

test('an entry that was made with views is not served without them, nor the other way round', async () => {
  const id = await world.sell(5)
  const [stale, live] = ['{"total" : 0, "days" : 0}', '{"total" : 5, "days" : 1}']
  expect(await read(off, id)).toEqual({ body: live, cache: 'MISS' })
  expect(await read(off, id)).toEqual({ body: live, cache: 'HIT' })
  expect((await read(on, id)).body).toBe(stale)
  expect(await read(off, id)).toEqual({ body: live, cache: 'MISS' })
})
