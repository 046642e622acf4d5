// The service with the CRM's demo tenants, whose dashboards are read as a user reads them.
import { crm } from '../domains/crm/index.ts'
import { createDemo } from '../engine/demo.ts'
import { testApp, type AppOptions, type TestApp } from './app.ts'
import { BUNDLE } from './http-world.ts'

export type BundleApp = TestApp & {
  /** Demo tenants, all in one time zone. */
  tenantIds: readonly string[]
  /** Starts what is due, and waits until it is done. */
  tick(): Promise<void>
  /** The dashboard of a tenant (null: of all together) for a superadmin, or for whom the token says. */
  read(tenantId: string | null, options?: ReadOptions): Promise<BundleAnswer>
}

export type ReadOptions = { query?: string; token?: string }

export type BundleAnswer = {
  status: number
  cache: string | null
  text: string
  json: { cached?: boolean; code?: string; message?: string; data?: BundleData }
}

type BundleData = {
  stats: Record<string, unknown>
  meta: { generated_at: string; ttl_seconds: number; scope: string }
}

export type BundleOptions = AppOptions & { tenants?: number; timezone?: string }

export async function bundleApp(
  options: BundleOptions & { clock: () => Date },
): Promise<BundleApp> {
  const { tenants = 3, timezone = 'UTC', ...appOptions } = options
  const app = await testApp({ domains: [crm], ...appOptions })
  await createDemo(app.db, [crm], { tenants, rows: 40, now: options.clock() })
  await app.db.query('update tenant set timezone = $1', [timezone])
  await app.engine.seed()
  const rows = await app.db.query<{ id: string }>('select id from tenant order by slug')
  return {
    ...app,
    tenantIds: rows.map(({ id }) => id),
    tick: async () => {
      await app.engine.cron.tick()
      await app.engine.cron.idle()
    },
    read: (tenantId, readOptions) => readBundle(app, tenantId, readOptions),
  }
}

export async function readBundle(
  app: TestApp,
  tenantId: string | null,
  { query = '', token }: ReadOptions = {},
): Promise<BundleAnswer> {
  const tenant = tenantId === null ? '' : `tenant_id=${tenantId}`
  const response = await app.get(`${BUNDLE}?${tenant}${query}`, token ?? (await app.token()))
  const text = await response.text()
  return {
    status: response.status,
    cache: response.headers.get('x-cache'),
    text,
    json: JSON.parse(text),
  }
}
