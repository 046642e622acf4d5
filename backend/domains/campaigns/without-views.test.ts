// The way back of the document: the same answers from the source tables, byte for byte, over HTTP.
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { readdir } from 'node:fs/promises'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { testApp, type TestApp } from '../../test/app.ts'
import { sqlFile } from '../../test/sql-file.ts'
import { Aggregate } from './aggregates.ts'
import { refreshViews, type Db } from './test-rows.ts'

const NOW = '2026-05-10T12:00:00.000Z'
const ZONES = ['America/Los_Angeles', 'Asia/Kathmandu', 'Pacific/Auckland']
const RUNS = 40

let withViews: TestApp
let without: TestApp
let workspaces: string[]
let token: string

beforeAll(async () => {
  withViews = await testApp({ clock: atNow })
  workspaces = await makeDemo(withViews.db)
  await refreshViews(withViews.db)
  const { databaseUrl } = withViews
  without = await testApp({ clock: atNow, databaseUrl, settings: { readsViews: false } })
  token = await withViews.token()
})
afterAll(async () => {
  await without.stop()
  await withViews.stop()
})

function atNow(): Date {
  return new Date(NOW)
}

async function makeDemo(db: Db): Promise<string[]> {
  const ids = ZONES.map((zone) => idOf(zone))
  for (const [i, id] of ids.entries()) {
    await db.query('insert into tenant (id, name, timezone) values ($1, $2, $2)', [id, ZONES[i]])
  }
  const folder = join(import.meta.dirname, 'demo')
  for (const name of (await readdir(folder)).toSorted()) {
    const sql = await sqlFile(join(folder, name))
    await db.query(sql.text, sql.bind({ tenant_ids: `{${ids.join(',')}}`, rows: '900', now: NOW }))
  }
  return ids
}

function idOf(name: string): string {
  const hash = createHash('md5').update(name).digest('hex')
  return hash.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-3$3-8$4-$5')
}

const day = fc
  .integer({ min: -125, max: 5 })
  .map((n) => new Date(Date.parse(NOW) + n * 86_400_000).toISOString().slice(0, 10))

const params = fc.record(
  {
    range: fc
      .tuple(day, day)
      .map(([a, b]) => (a < b ? { start: a, end: b } : { start: b, end: a })),
    campaign: fc.constantFrom('Ohio dentists', 'Spring fair', 'Win back', 'Unknown', 'None'),
    provider: fc.constantFrom('openai', 'bedrock', 'none'),
  },
  { requiredKeys: [] },
)

it('with PREWARM_VIEWS=off every answer is the same, whatever is asked', async () => {
  const seen = new Set<string>()
  const property = fc.asyncProperty(params, fc.nat(2), async ({ range, campaign, provider }, i) => {
    const query = new URLSearchParams({ workspace_id: workspaces[i] ?? '' })
    for (const [name, value] of Object.entries({ ...range, campaign, provider }))
      if (value !== undefined) query.set(name, value)
    const path = `/api/dashboard/aggregate?${query.toString()}`
    const [ours, theirs] = [await withViews.get(path, token), await without.get(path, token)]
    expect([ours.status, theirs.status]).toEqual([200, 200])
    const text = await ours.text()
    expect(await theirs.text()).toBe(text)
    seen.add(text)
    const { timeseries } = Aggregate.parse(JSON.parse(text))
    expect(new Set(timeseries.sends.map((point) => point.day)).size).toBe(timeseries.sends.length)
  })
  await fc.assert(property, { numRuns: RUNS })
  expect(seen.size).toBeGreaterThan(RUNS / 3)
}, 60_000)

it('without views what was just written is in the next answer', async () => {
  const [workspace] = workspaces
  await without.db.query(
    `insert into campaigns.llm_usage (workspace_id, provider, model, cost_usd, created_at)
     values ($1, 'openai', 'brand:new', 1000, $2)`,
    [workspace, NOW],
  )
  const ask = async (app: TestApp): Promise<string> => {
    const query = `workspace_id=${workspace}&campaign=Unknown&bust_cache=true`
    return (await app.get(`/api/dashboard/aggregate?${query}`, token)).text()
  }
  expect(await ask(without)).toContain('brand:new')
  expect(await ask(withViews)).not.toContain('brand:new')
  await refreshViews(withViews.db)
  expect(await ask(withViews)).toBe(await ask(without))
})
