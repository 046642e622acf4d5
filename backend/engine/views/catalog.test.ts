import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testFolder } from '../../test/folder.ts'
import type { Domain, View } from '../domain.ts'
import { loadViews } from './catalog.ts'

let folder: Awaited<ReturnType<typeof testFolder>>

beforeAll(async () => {
  folder = await testFolder()
  await mkdir(join(folder.path, 'views'))
  for (const view of ['mv_low', 'mv_middle', 'mv_top'])
    await writeFile(join(folder.path, 'views', `${view}.sql`), `select 1 as ${view};`)
  await writeFile(join(folder.path, 'views', 'mv_marked.sql'), "select :'now'")
})
afterAll(() => folder.remove())

const viewOf = (reads: string[], more: Partial<View> = {}): View => ({
  uniqueBy: ['tenant_id'],
  reads,
  refresh: [],
  targetLagSeconds: 60,
  ...more,
})
const domainOf = (views: Record<string, View>, name = 'shop'): Domain => ({
  name,
  folder: folder.path,
  sources: {
    sales: { tenantColumn: 'tenant_id' },
    rates: { tenantColumn: 'tenant_id', table: 'bank.rates', isTracked: false },
  },
  views,
  reports: {},
  jobs: {},
  schedules: [],
})

const STACK = {
  mv_top: viewOf(['mv_middle', 'rates']),
  mv_middle: viewOf(['mv_low']),
  mv_low: viewOf(['sales']),
}

const hashes = async (views: Record<string, View>): Promise<string[]> =>
  (await loadViews([domainOf(views)])).all.map(({ hash }) => hash)

describe('the catalog of views', () => {
  test('lists a view after those that it reads, and knows what is under it', async () => {
    const catalog = await loadViews([domainOf(STACK)])
    expect(catalog.all.map(({ name }) => name)).toEqual(['mv_low', 'mv_middle', 'mv_top'])
    expect(catalog.find('mv_top')).toMatchObject({
      qualified: 'shop.mv_top',
      sources: ['shop.mv_middle', 'bank.rates'],
      readsViews: ['mv_middle'],
      readsUntracked: true,
      timeoutSeconds: 300,
      select: 'select 1 as mv_top',
    })
    expect(catalog.find('mv_low')).toMatchObject({ readsViews: [], readsUntracked: false })
  })

  test('gives a view another hash when one under it changes, and none above it does', async () => {
    const [low, middle, top] = await hashes(STACK)
    const changed = { ...STACK, mv_middle: viewOf(['mv_low'], { indexes: [['day']] }) }
    const after = await hashes(changed)
    expect(after[0]).toBe(low)
    expect(after.slice(1)).not.toContain(middle)
    expect(after.slice(1)).not.toContain(top)
    expect(await hashes({ ...STACK, mv_low: viewOf(['sales'], { targetLagSeconds: 1 }) })).toEqual([
      low,
      middle,
      top,
    ])
  })

  test.each([
    ['no SQL', { mv_none: viewOf([]) }, /The view mv_none has no SQL/],
    ['parameters', { mv_marked: viewOf([]) }, /asks for :'now', but a view has no parameters/],
    ['an unknown source', { mv_low: viewOf(['sails']) }, /mv_low reads sails, which is no source/],
    ['a long name', { [`mv_${'x'.repeat(40)}`]: viewOf([]) }, /longer than 40 letters/],
    [
      'itself under it',
      { mv_low: viewOf(['mv_top']), mv_top: viewOf(['mv_low']) },
      /The views mv_low → mv_top → mv_low read one another/,
    ],
  ])('refuses a view with %s', async (_, views, message) => {
    await expect(loadViews([domainOf(views)])).rejects.toThrow(message)
  })

  test('refuses a name that two domains use', async () => {
    const views = { mv_low: viewOf([]) }
    await expect(loadViews([domainOf(views), domainOf(views, 'bar')])).rejects.toThrow(
      'The domains shop and bar both have a view mv_low; rename one of them.',
    )
  })
})
