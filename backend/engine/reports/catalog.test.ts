import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { testFolder } from '../../test/folder.ts'
import type { Domain, Report } from '../domain.ts'
import { loadCatalog, type InstalledReport } from './index.ts'

const SQL = "select id as tenant_id, '{}' as data from unnest(:'tenant_ids'::uuid[]) a (id)"

let folder: { path: string; remove: () => Promise<void> }
beforeEach(async () => {
  folder = await testFolder()
  await mkdir(join(folder.path, 'reports'))
})
afterEach(() => folder.remove())

const writeSql = (sql: string) => writeFile(join(folder.path, 'reports/yearly.sql'), sql)
const domain = (report: Partial<Report> = {}): Domain => ({
  name: 'sales',
  folder: folder.path,
  sources: {},
  reports: { yearly: { title: 'Yearly', reads: [], changesAt: 'never', ...report } },
  jobs: {},
  schedules: [],
})
const load = async (sql: string, report: Partial<Report> = {}): Promise<InstalledReport> => {
  await writeSql(sql)
  const [installed] = (await loadCatalog([domain(report)])).all
  if (!installed) throw new Error('There is no report.')
  return installed
}

describe('the catalog', () => {
  test('names reports after their files', async () => {
    const installed = await load(SQL)
    expect(installed).toMatchObject({ id: 'sales:yearly', key: 'sales:yearly', alias: 'yearly' })
    const catalog = await loadCatalog([domain({ key: 'y', alias: 'the-year' })])
    expect(catalog.find('sales', 'yearly')).toMatchObject({ key: 'y' })
    expect(catalog.findAlias('the-year')?.id).toBe('sales:yearly')
    expect(catalog.find('sales', 'monthly')).toBeUndefined()
    expect(catalog.findAlias('yearly')).toBeUndefined()
  })

  test('refuses a report without SQL, and names the file', async () => {
    await expect(loadCatalog([domain()])).rejects.toMatchObject({
      code: 'bad_configuration',
      message: expect.stringMatching(/The report yearly has no SQL: .*reports\/yearly\.sql/),
    })
  })

  test.each([
    ['visible_to', {}, { scoped: true }],
    ['merge', {}, { mergesTenants: true }],
    [
      'period',
      {},
      { variant: { param: 'period', keyName: 'p', values: ['year'], default: 'year' } },
    ],
    ['from', {}, { params: z.object({ from: z.iso.date().optional() }) }],
  ] as const)('gives :%s only to a report that says it has it', async (mark, without, having) => {
    const sql = `${SQL} where :'${mark}' <> ''`
    await expect(load(sql, without)).rejects.toMatchObject({
      code: 'bad_configuration',
      message: expect.stringContaining(`yearly.sql asks for :'${mark}', which`),
    })
    expect((await load(sql, having)).sql.names).toContain(mark)
  })

  test.each([
    ['tenant_id', {}],
    ['bust_cache', {}],
    ['now', {}],
    ['team_id', {}],
    ['workspace_id', { tenantParam: 'workspace_id' }],
    ['period', { variant: { param: 'period', keyName: 'p', values: ['year'], default: 'year' } }],
  ] as const)('refuses a parameter %s, which means something else', async (name, having) => {
    const params = z.object({ [name]: z.string().optional() })
    await expect(load(SQL, { ...having, params })).rejects.toMatchObject({
      code: 'bad_configuration',
      message: `The report sales:yearly cannot have a parameter ${name}: that name means something else.`,
    })
  })

  test('a definition moves with the SQL and with what the domain says of it', async () => {
    const { hash } = await load(SQL)
    expect((await load(SQL)).hash).toBe(hash)
    expect((await load(`${SQL} -- changed`)).hash).not.toBe(hash)
    expect((await load(SQL, { changesAt: 'local midnight' })).hash).not.toBe(hash)
  })
})
