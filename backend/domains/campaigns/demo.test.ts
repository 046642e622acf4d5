import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { sqlFile } from '../../test/sql-file.ts'
import { aggregateOf, aggregateTexts } from './aggregates.ts'
import { refreshViews } from './test-rows.ts'

const NOW = '2026-05-10T12:00:00.000Z'
const WORKSPACES = [1, 2].map((n) => `00000000-0000-4000-8000-00000000000${n}`)
const TABLES = { campaigns: 5, leads: 60, email_events: 450, llm_usage: 90 }

let first: TestDatabase
let second: TestDatabase

beforeAll(async () => {
  ;[first, second] = await Promise.all([testDatabase(), testDatabase()])
  await makeDemo(first, WORKSPACES)
  await refreshViews(first.db)
})
afterAll(() => Promise.all([first.drop(), second.drop()]))

async function makeDemo({ db }: TestDatabase, ids: readonly string[]): Promise<void> {
  await db.query(
    `insert into tenant (id, name, slug)
     select id::uuid, id, id from unnest($1::text[]) id on conflict do nothing`,
    [ids],
  )
  const folder = join(import.meta.dirname, 'demo')
  for (const name of (await readdir(folder)).toSorted()) {
    const sql = await sqlFile(join(folder, name))
    await db.query(sql.text, sql.bind({ tenant_ids: `{${ids.join(',')}}`, rows: '600', now: NOW }))
  }
}

async function contents({ db }: TestDatabase): Promise<Record<string, unknown[]>> {
  const tables = Object.keys(TABLES).map(async (table) => {
    const rows = await db.query(`select * from campaigns.${table} order by workspace_id, id`)
    return [table, rows] as const
  })
  return Object.fromEntries(await Promise.all(tables))
}

it('a workspace has the asked number of rows over all tables, and its campaigns', async () => {
  const counts = Object.entries(await contents(first)).map(([table, rows]) => [table, rows.length])
  expect(counts).toEqual(Object.entries(TABLES).map(([table, rows]) => [table, 2 * rows]))
})

it('made again it changes nothing, and made elsewhere, one workspace at a time, it is the same', async () => {
  const before = await contents(first)
  await makeDemo(first, WORKSPACES)
  expect(await contents(first)).toEqual(before)
  for (const id of WORKSPACES.toReversed()) await makeDemo(second, [id])
  expect(await contents(second)).toEqual(before)
})

it('every dashboard has something to show in every part, of several campaigns a day', async () => {
  for (const id of WORKSPACES) {
    const { summary, stepBreakdown, costBreakdown, campaigns } = await aggregateOf(first.db, id, {
      now: NOW,
    })
    for (const name of ['sends', 'replies', 'opens', 'clicks', 'cost_usd', 'prev_sends'] as const)
      expect(summary[name]).toBeGreaterThan(0)
    expect(stepBreakdown.steps.map(({ step }) => step)).toEqual([1, 2, 3, 4])
    expect(costBreakdown.by_provider).toHaveLength(3)
    expect(costBreakdown.by_model.some(({ model }) => model.includes(':'))).toBe(true)
    expect(campaigns.stats).toHaveLength(6)
  }
  const busiest = await first.db.query(
    'select 1 from mv_daily_stats group by workspace_id, day having count(*) > 2 limit 1',
  )
  expect(busiest).toHaveLength(1)
})

it('no two workspaces have the same data, and nothing lies in the future', async () => {
  const texts = await aggregateTexts(first.db, WORKSPACES, { now: NOW })
  expect(new Set(texts.values()).size).toBe(2)
  const late = await first.db.query(
    'select 1 from campaigns.email_events, campaigns.llm_usage u where event_ts > $1 or u.created_at > $1 limit 1',
    [NOW],
  )
  expect(late).toEqual([])
})
