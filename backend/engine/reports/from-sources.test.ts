import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import { testDatabase } from '../../test/database.ts'
import { testFolder } from '../../test/folder.ts'
import type { Domain, View } from '../domain.ts'
import { listActiveTenants, type Tenant } from '../tenancy/index.ts'
import { compute, UNRESTRICTED, type Answer } from './compute.ts'
import { loadCatalog, type InstalledReport } from './index.ts'

const VIEWS = {
  mv_daily: `
    select tenant_id, day, count(*) as sales, sum(amount) as amount
    from shop.sales group by tenant_id, day`,
  mv_best: `
    -- The best day: reads shop.mv_daily.
    select distinct on (tenant_id) tenant_id, shop.mv_daily.day, amount
    from shop.mv_daily order by tenant_id, amount desc, day;`,
  mv_other: 'select tenant_id, count(*) as sales from shop.sales group by tenant_id',
}

const SQL = `
  with asked as (select unnest(:'tenant_ids'::uuid[]) as tenant_id)
  select asked.tenant_id,
         json_build_object(
           'name', 'shop.mv_daily', -- shop.mv_daily
           'best', (select json_build_object('day', b.day, 'amount', b.amount) from mv_best b where b.tenant_id = asked.tenant_id),
           'days', coalesce((
             select json_agg(json_build_object('day', d.day, 'sales', d.sales) order by d.day)
             from mv_daily as d
             where d.tenant_id = asked.tenant_id and (:'from' = '' or d.day >= nullif(:'from', '')::date)
           ), '[]')
         ) as data
  from asked;`

const view = (reads: string[]): View => ({
  uniqueBy: ['tenant_id'],
  reads,
  refresh: [],
  targetLagSeconds: 60,
})

let database: Awaited<ReturnType<typeof testDatabase>>
let folder: Awaited<ReturnType<typeof testFolder>>
let domain: Domain
let tenants: readonly Tenant[]

beforeAll(async () => {
  database = await testDatabase()
  folder = await testFolder()
  await mkdir(join(folder.path, 'views'))
  await mkdir(join(folder.path, 'reports'))
  for (const [name, text] of Object.entries(VIEWS)) {
    await writeFile(join(folder.path, 'views', `${name}.sql`), text)
  }
  await writeFile(join(folder.path, 'reports', 'sales.sql'), SQL)
  const report = { title: 'Sales', reads: ['mv_best', 'mv_daily'], changesAt: 'never' } as const
  domain = {
    name: 'shop',
    folder: folder.path,
    sources: { sales: { tenantColumn: 'tenant_id' } },
    views: { mv_best: view(['mv_daily']), mv_daily: view(['sales']), mv_other: view(['sales']) },
    reports: { sales: { ...report, params: z.object({ from: z.iso.date().optional() }) } },
    jobs: {},
    schedules: [],
  }
  const { db } = database
  await db.query(`insert into tenant (name) select 'Tenant ' || n from generate_series(1, 5) n`)
  tenants = await listActiveTenants(db)
  await db.query('create schema shop')
  await db.query(`create table shop.sales as
    select id as tenant_id, date '2026-01-01' + (n % 7)::integer as day, (n * 37 % 101)::numeric / 4 as amount
    from (select id, row_number() over (order by name) as size from tenant) t
    cross join lateral generate_series(1, (size - 1) * 20) n`)
  for (const name of ['mv_daily', 'mv_best', 'mv_other'] as const) {
    await db.query(`create materialized view shop.${name} as ${VIEWS[name].replace(';', '')}`)
  }
})
afterAll(async () => {
  await database.drop()
  await folder.remove()
})

async function load(readsViews: boolean): Promise<InstalledReport> {
  const [report] = (await loadCatalog([domain], { readsViews })).all
  if (!report) throw new Error('There is no report.')
  return report
}

function answersOf(report: InstalledReport, params = {}): Promise<Answer[]> {
  return database.db.transaction(async (tx) => {
    await tx.query('set local search_path to public, shop')
    const ask = { tenants, variants: [null], restriction: UNRESTRICTED, params, merge: false }
    return compute(tx, report, { ...ask, now: new Date() })
  })
}

const byTenant = (answers: readonly Answer[]) =>
  new Map(answers.map(({ tenantId, data }) => [tenantId, data]))

test('the answers from the source tables are those from the views, to the byte', async () => {
  const [on, off] = [await load(true), await load(false)]
  for (const params of [{}, { from: '2026-01-04' }, { from: '2030-01-01' }]) {
    const fromViews = byTenant(await answersOf(on, params))
    expect(byTenant(await answersOf(off, params))).toEqual(fromViews)
    expect(new Set(fromViews.values()).size).toBeGreaterThan(params.from === '2030-01-01' ? 3 : 4)
  }
})

test('what has changed since the last refresh is in the answer from the source tables', async () => {
  const [on, off] = [await load(true), await load(false)]
  const before = byTenant(await answersOf(on))
  const id = tenants[0]?.id ?? ''
  await database.db.query(`insert into shop.sales values ($1, '2026-02-01', 9999)`, [id])
  expect(byTenant(await answersOf(on))).toEqual(before)
  const after = byTenant(await answersOf(off))
  expect(after.get(id)).toContain('{"day" : "2026-02-01", "amount" : 9999')
  await database.db.query(`delete from shop.sales where amount = 9999`)
  expect(byTenant(await answersOf(off))).toEqual(before)
})

test('the answers do not need the views to be there, not even those that views read', async () => {
  const off = await load(false)
  const before = await answersOf(off)
  const { db } = database
  await db.query('alter materialized view shop.mv_daily rename to hidden_daily')
  await db.query('alter materialized view shop.mv_best rename to hidden_best')
  expect(await answersOf(off)).toEqual(before)
  await db.query('alter materialized view shop.hidden_daily rename to mv_daily')
  await db.query('alter materialized view shop.hidden_best rename to mv_best')
})

test('only the views under the report are in its statement, and texts and comments stay as they are', async () => {
  const { text } = (await load(false)).sql
  expect(text).not.toContain('mv_other')
  expect(text.match(/shop\.mv_daily/g)).toHaveLength(3)
  expect(text).toContain(`'name', 'shop.mv_daily', -- shop.mv_daily`)
})

test('an entry of one mode is of no use in the other, and a report reads what it is computed from', async () => {
  const [on, off] = [await load(true), await load(false)]
  expect(off.hash).not.toBe(on.hash)
  expect([on.reads, on.views.toSorted()]).toEqual([
    ['mv_best', 'mv_daily'],
    ['mv_best', 'mv_daily'],
  ])
  expect([off.reads, off.views]).toEqual([['sales'], []])
})

test('an entry is of no use any more when a view under it has another text', async () => {
  const { hash } = await load(true)
  const file = join(folder.path, 'views', 'mv_daily.sql')
  await writeFile(file, VIEWS.mv_daily.replace('sum', 'max'))
  const changed = await load(true)
  await writeFile(file, VIEWS.mv_daily)
  expect(changed.hash).not.toBe(hash)
  expect((await load(true)).hash).toBe(hash)
})

test('a report without views has the same statement and the same entries in both modes', async () => {
  await writeFile(join(folder.path, 'reports', 'plain.sql'), SQL.replaceAll('mv_', 'mv_x'))
  const plain = { ...domain.reports['sales'], title: 'Plain', reads: ['sales'] }
  const both = { ...domain, reports: { plain: { ...plain, changesAt: 'never' } } } as const
  const [on] = (await loadCatalog([both])).all
  const [off] = (await loadCatalog([both], { readsViews: false })).all
  expect([off?.hash, off?.sql.text]).toEqual([on?.hash, on?.sql.text])
})
