import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  domainFolders,
  SHOP,
  TOTALS,
  VIEW,
  withReport,
  type DomainFolders,
} from '../test/domain-folders.ts'
import { loadDomains } from './load-domains.ts'

const ZOD = import.meta.resolve('zod')

let folders: DomainFolders
beforeAll(async () => {
  folders = await domainFolders()
})
afterAll(() => folders.remove())

function withView(changes: object): object {
  return { ...SHOP, views: { mv_sales: { ...VIEW, ...changes } } }
}

function withEndpoint(changes: object): object {
  const endpoint = { path: '/api/refresh', views: ['mv_sales'], onGet: 'refresh', ...changes }
  return { ...withView({}), refreshEndpoints: [endpoint] }
}

/** An index whose values are programs, such as schemas of zod. */
function program(values: Record<string, string>): string {
  const members = Object.entries(values).map(([name, value]) => `${name}: ${value}`)
  return `import * as z from '${ZOD}'
    const TOTALS = ${JSON.stringify(TOTALS)}
    export const domain = { folder: import.meta.dirname, ...${JSON.stringify(SHOP)}, ${members.join()} }`
}

test('everything that a domain may have is taken as it is', async () => {
  const report = `{ ...TOTALS, reads: ['sales', 'mv_sales'], path: '/api/shop', tenantParam: 'shop_id', isBare: true,
    isForMembers: true, params: z.object({ from: z.iso.date().optional() }) }`
  const path = await folders.folderWith(
    program({
      sources: `{ sales: { tenantColumn: 'tenant_id', table: 'public.sales', isTracked: false } }`,
      views: JSON.stringify({ mv_sales: VIEW, mv_above: { ...VIEW, reads: ['mv_sales'] } }),
      reports: `{ totals: ${report} }`,
      jobs: `{ warmShop: { warm: 'totals', tenants: 'all' }, refreshShop: { refresh: ['mv_sales', 'mv_above'] } }`,
      refreshEndpoints: `[{ path: '/api/admin/refresh-shop', views: ['mv_sales'], onGet: 'freshness' }]`,
    }),
  )
  const [shop] = await loadDomains(path, [])
  expect(shop).toMatchObject({
    sources: { sales: { table: 'public.sales', isTracked: false } },
    views: { mv_sales: VIEW },
    reports: { totals: { path: '/api/shop', tenantParam: 'shop_id', isBare: true } },
    refreshEndpoints: [{ views: ['mv_sales'] }],
  })
  expect(shop?.reports['totals']?.params?.safeParse({ from: 'x' }).success).toBe(false)
})

test.each([
  [
    'params that are a list',
    withReport({ params: ['from'] }),
    /must be a z.object.*→ at .*params/s,
  ],
  [
    'a parameter with a pattern',
    program({
      reports: `{ totals: { ...TOTALS, params: z.object({ 'from date': z.string() }) } }`,
    }),
    /must be a z.object.*→ at .*params/s,
  ],
  ['a path outside of the API', withReport({ path: '/x' }), /must be of the form.*→ at .*path/s],
  ['a path that is a number', withReport({ path: 7 }), /→ at reports.totals.path/],
  ['a bare word', withReport({ isBare: 'yes' }), /→ at reports.totals.isBare/],
  ['a bare report without a path', withReport({ isBare: true }), /totals has isBare, which needs/],
  ['members that are a word', withReport({ isForMembers: 'no' }), /→ at .*isForMembers/],
  ['a tenant of two words', withReport({ tenantParam: 'a b' }), /must be.*→ at .*tenantParam/s],
  [
    'a table without a schema',
    { ...SHOP, sources: { sales: { tenantColumn: 'tenant_id', table: 'sales' } } },
    /must be of the form schema.table.*→ at sources.sales.table/s,
  ],
  [
    'a tracking word',
    { ...SHOP, sources: { sales: { tenantColumn: 'tenant_id', isTracked: 'no' } } },
    /→ at sources.sales.isTracked/,
  ],
  ['a view without a key', withView({ uniqueBy: [] }), /→ at views.mv_sales.uniqueBy/],
  ['a view that is never late', withView({ targetLagSeconds: 0 }), /→ at .*targetLagSeconds/],
  ['a view without policies', withView({ refresh: undefined }), /→ at views.mv_sales.refresh/],
  [
    'a policy that is none',
    withView({ refresh: [{ every: 'day' }] }),
    /must be { everySeconds.*→ at views.mv_sales.refresh\[0\]/s,
  ],
  [
    'a policy of two kinds',
    withView({ refresh: [{ onEvent: 'x', onChange: true }] }),
    /→ at views.mv_sales.refresh/,
  ],
  ['an index without columns', withView({ indexes: [[]] }), /→ at views.mv_sales.indexes/],
  ['a timeout of nothing', withView({ timeoutSeconds: -1 }), /→ at .*timeoutSeconds/],
  [
    'a view of an unknown source',
    withView({ reads: ['orders'] }),
    /the view mv_sales reads "orders"/,
  ],
  [
    'a view whose key is not the tenant first',
    withView({ uniqueBy: ['day', 'tenant_id'] }),
    /the key of the view mv_sales begins with "day", which is not the tenant column/,
  ],
  [
    'a view called as a source',
    { ...withView({}), views: { sales: VIEW } },
    /"sales" is a source and/,
  ],
  [
    'a job of neither kind',
    { ...SHOP, jobs: { warmShop: { cool: 'totals' } } },
    /must be { warm: REPORT.*→ at jobs.warmShop/s,
  ],
  [
    'an unknown view in a job',
    { ...withView({}), jobs: { warmShop: { refresh: ['mv_sales', 'mv_orders'] } } },
    /the job warmShop refreshes "mv_orders", which is not a view/,
  ],
  [
    'an unknown view in a refresh endpoint',
    withEndpoint({ views: ['mv_orders'] }),
    /the refresh endpoint \/api\/refresh refreshes "mv_orders", which is not a view/,
  ],
  [
    'a GET that does something else',
    withEndpoint({ onGet: 'drop' }),
    /→ at refreshEndpoints.*onGet/,
  ],
  [
    'a path that is taken',
    { ...withEndpoint({}), reports: { totals: { ...TOTALS, path: '/api/refresh' } } },
    /there are two reports or refresh endpoints with the path "\/api\/refresh"/,
  ],
])('a folder with %s is refused in a sentence', async (_name, index, sentence) => {
  const path = await folders.folderWith(index)
  const refused: unknown = await loadDomains(path, []).catch((error: unknown) => error)
  expect(refused).toMatchObject({
    code: 'bad_configuration',
    field: 'PREWARM_DOMAINS',
    message: expect.stringMatching(sentence),
  })
  expect(String(refused)).toMatch(/PREWARM_DOMAINS: [^]*[^.]\.$/)
})
