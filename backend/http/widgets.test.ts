import { afterAll, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import { BUNDLE, httpWorld, type HttpWorld } from '../test/http-world.ts'

let world: HttpWorld

beforeAll(async () => {
  world = await httpWorld()
  const { id } = world.a
  await world.db.query(`insert into crm.activities (tenant_id, type) values ($1, 'call')`, [id])
  await world.db.query(`insert into crm.opportunities (tenant_id, name) values ($1, 'Deal')`, [id])
})
afterAll(() => world.stop())

const Bundle = z.object({
  data: z.looseObject({
    stats: z.looseObject({ leadsBySource: z.record(z.string(), z.number()) }),
    lists: z.record(z.string(), z.array(z.unknown())),
  }),
})

async function bundle(widgets: string | undefined) {
  const choice = widgets === undefined ? '' : `&widgets=${widgets}`
  const answer = await world.get(`${BUNDLE}?tenant_id=${world.a.id}${choice}`, world.superadmin)
  return Bundle.parse(await answer.json()).data
}

/** The parts that are not empty. */
async function shownWith(widgets: string | undefined): Promise<string[]> {
  const { stats, lists } = await bundle(widgets)
  const isShown = Object.entries(lists).filter(([, rows]) => rows.length > 0)
  const sources = Object.keys(stats.leadsBySource).length > 0 ? ['leadsBySource'] : []
  return [...isShown.map(([name]) => name), ...sources].toSorted()
}

const ALL = ['leadsBySource', 'recentActivities', 'recentLeads', 'recentOpportunities']

test.each([
  [undefined, ALL],
  ['', ALL],
  [',', ALL],
  ['salesPipeline', ['recentOpportunities']],
  ['salesFunnel', []],
  ['leadSourceChart', ['leadsBySource', 'recentLeads']],
  ['topAccounts', []],
  ['topOpportunities', []],
  ['conversionRates', []],
  ['leadAgeReport', ['recentLeads']],
  ['recentActivities', ['recentActivities']],
  ['leadAgeReport,recentActivities', ['recentActivities', 'recentLeads']],
  ['recentActivities,%20leadAgeReport,recentActivities,', ['recentActivities', 'recentLeads']],
  ['salesPipeline,leadSourceChart,recentActivities', ALL],
])('the widgets %j are given what they show', async (widgets, shown) => {
  expect(await shownWith(widgets)).toEqual(shown)
  expect(await shownWith(widgets)).toEqual(shown)
})

test('a part that is not shown is empty, and everything else is as in the whole bundle', async () => {
  const whole = await bundle(undefined)
  const some = await bundle('recentActivities')
  expect(some).toEqual({
    ...whole,
    stats: { ...whole.stats, leadsBySource: {} },
    lists: { ...whole.lists, recentLeads: [], recentOpportunities: [] },
  })
})

test('all choices of widgets are shown from one entry of the cache', async () => {
  await shownWith('salesPipeline')
  const path = `${BUNDLE}?tenant_id=${world.a.id}&widgets=leadAgeReport,topAccounts`
  expect((await world.get(path, world.superadmin)).headers.get('x-cache')).toBe('HIT')
  const dropped = await world.post('/api/reports/clear-cache', {}, world.superadmin)
  expect(await dropped.json()).toMatchObject({ data: { entries: 1 } })
})

test('reading some widgets does not take anything from the whole bundle', async () => {
  const before = await bundle(undefined)
  await bundle('topAccounts')
  expect(await bundle(undefined)).toEqual(before)
})
