import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { domains } from '../domains/index.ts'
import { cliWorld } from '../test/cli-world.ts'
import {
  domainFolders,
  SHOP,
  TOTALS,
  withReport,
  type DomainFolders,
} from '../test/domain-folders.ts'
import { runProgram } from '../test/program.ts'
import { loadDomains } from './load-domains.ts'

const VARIANT = { param: 'kind', keyName: 'kind', values: ['a', 'b'], default: 'a' }

let folders: DomainFolders
beforeAll(async () => {
  folders = await domainFolders()
})
afterAll(() => folders.remove())

test('folders of domains are listed as in PATH', async () => {
  const [shop, other] = [await folders.folderWith(SHOP), await folders.folderWith(another('other'))]
  const loaded = await loadDomains(`${shop}::${other}:`, domains)
  expect(loaded).toMatchObject([{ ...SHOP, folder: shop }, { name: 'other' }])
  expect(await loadDomains('', domains)).toEqual([])
})

function another(name: string): object {
  const reports = { [`${name}_totals`]: TOTALS }
  return { ...SHOP, name, reports, jobs: {}, schedules: [] }
}

test.each([
  ['no domain', 'export const x = 1', /exports no domain: .*expected object/s],
  ['nothing', '', /exports no domain: it exports nothing/],
  ['what is no program', 'export const = 1', /cannot be loaded as an ES module: /],
  ['what fails', 'throw new Error("no luck")', /cannot be loaded as an ES module: no luck/],
  ['what imports nothing', 'import "./gone.js"', /cannot be loaded as an ES module: /],
  ['a domain without a name', { ...SHOP, name: undefined }, /→ at name/],
  ['a name in capitals', { ...SHOP, name: 'Shop' }, /must be lower-case.*→ at name/s],
  ['a schema of PostgreSQL', { ...SHOP, name: 'public' }, /is a schema of PostgreSQL.*→ at name/s],
  ['a system schema', { ...SHOP, name: 'pg_temp' }, /is a schema of PostgreSQL/],
  ['a report without a title', withReport({ title: undefined }), /→ at reports.totals.title/],
  ['a report that changes oddly', withReport({ changesAt: 'noon' }), /→ at .*changesAt/],
  ['a key with a pattern', withReport({ key: 'shop:*' }), /must be letters.*→ at .*key/s],
  ['an alias that is a path', withReport({ alias: '../x' }), /must be letters.*→ at .*alias/s],
  ['a variant that is a word', withReport({ variant: 'kind' }), /→ at reports.totals.variant/],
  [
    'a default that is no value',
    withReport({ variant: { ...VARIANT, default: 'c' } }),
    /must be one of the values.*→ at .*variant.default/s,
  ],
  ['a scope that is a word', withReport({ scoped: 'yes' }), /→ at reports.totals.scoped/],
  ['widgets that are a list', withReport({ widgets: [] }), /→ at reports.totals.widgets/],
  [
    'an unknown source',
    withReport({ reads: ['orders'] }),
    /reads "orders", which is neither a source nor a view/,
  ],
  ['a source of all objects', withReport({ reads: ['toString'] }), /reads "toString"/],
  [
    'an unknown report in a job',
    { ...SHOP, jobs: { warmShop: { warm: 'sums', tenants: 'all' } } },
    /the job warmShop warms "sums", which is not a report/,
  ],
  [
    'an unknown job in a schedule',
    { ...SHOP, schedules: [{ name: 'X', at: 'daily', run: 'warm' }] },
    /the schedule "X" runs "warm", which is not a job/,
  ],
  [
    'a schedule that is none',
    { ...SHOP, schedules: [{ name: 'X', at: 'sometimes', run: 'warmShop' }] },
    /the schedule "X": .*sometimes/,
  ],
  ['a name that is taken', { ...SHOP, name: 'crm' }, /there are two domains called "crm"/],
  [
    'an alias that is taken',
    withReport({ alias: 'dashboard-bundle' }),
    /there are two reports with the alias "dashboard-bundle"/,
  ],
  [
    'a key that is taken',
    withReport({ key: 'dashboard:bundle' }),
    /there are two reports with the key "dashboard:bundle"/,
  ],
  [
    'a schedule whose name is taken',
    { ...SHOP, schedules: [{ name: 'Warm Dashboard Bundle Cache', at: 'daily', run: 'warmShop' }] },
    /there are two schedules called "Warm Dashboard Bundle Cache"/,
  ],
])('a folder with %s is refused in a sentence', async (_name, index, sentence) => {
  const path = await folders.folderWith(index)
  const refused: unknown = await loadDomains(path, domains).catch((error: unknown) => error)
  expect(refused).toMatchObject({
    code: 'bad_configuration',
    field: 'PREWARM_DOMAINS',
    message: expect.stringMatching(sentence),
  })
  expect(String(refused)).toMatch(/PREWARM_DOMAINS: [^]*[^.]\.$/)
})

test('a folder that is not there, or that is a file, is refused in a sentence', async () => {
  const file = join(await folders.folderWith(SHOP), 'index.js')
  for (const path of ['/nonexistent', file]) {
    await expect(loadDomains(path, [])).rejects.toThrow(`PREWARM_DOMAINS: ${path} has none of`)
  }
})

test('a domain outside of the tree is migrated, warmed and busted as those inside', async () => {
  const world = await cliWorld()
  const path = await folders.folderWith(SHOP)
  await mkdir(join(path, 'schema'))
  await mkdir(join(path, 'reports'))
  await writeFile(
    join(path, 'schema', '001_sales.sql'),
    'create table sales (tenant_id uuid not null, amount numeric not null);',
  )
  await writeFile(
    join(path, 'reports', 'totals.sql'),
    `select id as tenant_id, json_build_object('total', (select sum(amount) from shop.sales s where s.tenant_id = id)) as data
     from unnest(:'tenant_ids'::uuid[]) id`,
  )
  await world.database.db.query(`insert into tenant (name) values ('One'), ('Two')`)
  const env = { PREWARM_DOMAINS: path }
  const migrated = await world.run('migrate --json', env)
  expect(JSON.parse(migrated.stdout)).toMatchObject({
    applied: ['shop/001_sales.sql'],
    seeded: expect.arrayContaining(['Warm the Shop']),
  })
  const warmed = await world.run('warm', env)
  expect(warmed.stdout).toContain('shop:totals: 2 tenants, 2 entries warmed')
  const busted = await world.run('bust --report shop:totals --json', env)
  expect(JSON.parse(busted.stdout)).toEqual({ entries: 2 })
  await writeFile(join(path, 'index.js'), 'export const nothing = null')
  const { code, stdout, stderr } = await runProgram(['status'], { ...world.env, ...env })
  await world.end()
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toMatch(/^PREWARM_DOMAINS: .* exports no domain: /)
  expect(stderr).not.toMatch(/\n +at .*:\d+:\d+/)
})
