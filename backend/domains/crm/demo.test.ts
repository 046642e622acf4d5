import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { sqlFile } from '../../test/sql-file.ts'
import { bundlesOf, bundleTexts } from './bundles.ts'

const NOW = '2026-05-10T12:00:00.000Z'
const TENANTS = [1, 2].map((n) => `00000000-0000-4000-8000-00000000000${n}`)
const TABLES = {
  teams: 3,
  team_members: 9,
  contacts: 60,
  accounts: 15,
  leads: 75,
  opportunities: 36,
  activities: 105,
  bizdev_sources: 9,
}

let first: TestDatabase
let second: TestDatabase

beforeAll(async () => {
  ;[first, second] = await Promise.all([testDatabase(), testDatabase()])
  await makeDemo(first, TENANTS)
})
afterAll(() => Promise.all([first.drop(), second.drop()]))

async function makeDemo({ db }: TestDatabase, tenantIds: readonly string[]): Promise<void> {
  await db.query(
    `insert into tenant (id, name, slug)
     select id::uuid, id, id from unnest($1::text[]) id on conflict do nothing`,
    [tenantIds],
  )
  const folder = join(import.meta.dirname, 'demo')
  for (const name of (await readdir(folder)).toSorted()) {
    const sql = await sqlFile(join(folder, name))
    await db.query(
      sql.text,
      sql.bind({ tenant_ids: `{${tenantIds.join(',')}}`, rows: '300', now: NOW }),
    )
  }
}

/** All demo rows as text, apart from what the database itself notes. */
async function contents({ db }: TestDatabase): Promise<Record<string, unknown[]>> {
  const tables = Object.keys(TABLES).map(async (table) => {
    const rows = await db.query(`select * from crm.${table} order by tenant_id, id`)
    return [table, rows] as const
  })
  return Object.fromEntries(await Promise.all(tables))
}

it('a tenant has the asked number of rows over all tables, and teams to own them', async () => {
  const counts = Object.entries(await contents(first)).map(([table, rows]) => [table, rows.length])
  const expected = Object.entries(TABLES).map(([table, rows]) => [table, 2 * rows])
  expect(counts).toEqual(expected)
})

it('made again it changes nothing, and made elsewhere, one tenant at a time, it is the same', async () => {
  const before = await contents(first)
  await makeDemo(first, TENANTS)
  expect(await contents(first)).toEqual(before)
  for (const id of TENANTS.toReversed()) await makeDemo(second, [id])
  expect(await contents(second)).toEqual(before)
})

it('no two tenants have the same data', async () => {
  const { leads = [] } = await contents(first)
  const ids = leads.map((lead) => JSON.stringify(lead, ['id']))
  expect(new Set(ids).size).toBe(ids.length)
  const bundles = await bundlesOf(first.db, { tenantIds: TENANTS, now: NOW, variants: ['true'] })
  const [one, two] = [...bundles.values()]
  expect(one?.stats).not.toEqual(two?.stats)
})

it('every dashboard has something to show in every part, and less of it without test data', async () => {
  const bundles = await bundlesOf(first.db, { tenantIds: TENANTS, now: NOW })
  for (const id of TENANTS) {
    const all = bundles.get(`${id} true`)
    const real = bundles.get(`${id} false`)
    const { leadsBySource, ...numbers } = all?.stats ?? {}
    expect(Object.values(numbers).filter((number) => Number(number) > 0)).toHaveLength(11)
    expect(Object.keys(leadsBySource ?? {}).length).toBeGreaterThan(5)
    expect(Number(real?.stats['totalLeads'])).toBeLessThan(Number(all?.stats['totalLeads']))
    const { tenant_id: _id, tenant_slug: _slug, ...funnel } = all?.funnelAggregates ?? {}
    const totals = Object.entries(funnel).filter(([name]) => name.endsWith('_count_total'))
    expect(totals.filter(([, number]) => Number(number) > 0)).toHaveLength(6)
  }
})

it('records belong to users who are in the team that the record belongs to', async () => {
  const strays = await first.db.query(`
    select lead.id from crm.leads lead
    where assigned_to is not null
      and not exists (
        select from crm.team_members member
        where member.tenant_id = lead.tenant_id
          and member.user_id = lead.assigned_to and member.team_id = lead.assigned_to_team)`)
  expect(strays).toEqual([])
})

it('nothing lies in the future', async () => {
  const texts = await bundleTexts(first.db, { tenantIds: TENANTS, now: NOW })
  const times = [...texts.values()].flatMap((text) => text.match(/\d{4}-\d\d-\d\dT[\d:.]+/g) ?? [])
  expect(times.length).toBeGreaterThan(100)
  expect(times.toSorted().at(-1)?.localeCompare(NOW.slice(0, -1))).toBe(-1)
})
