// Refreshing the KPIs as operators do: in SQL, with curl, and by the schedulers of platforms.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { testApp, type TestApp } from '../../test/app.ts'
import { eventually } from '../../test/eventually.ts'
import { Kpis } from './kpis.ts'
import { tenantWith } from './test-rows.ts'

const CRON_SECRET = 'the secret of the platform that keeps time'.replaceAll(' ', '-')

let app: TestApp
let token: string
let tenantId: string

beforeAll(async () => {
  app = await testApp({ cronSecret: CRON_SECRET })
  ;({ id: tenantId } = await tenantWith(app.db, { customers: [{}, {}] }))
  token = await app.token({ role: 'admin', tenantId })
})
afterAll(() => app.stop())

type LogRow = { operation: string; message: string; error_details: unknown; created_at: Date }

async function logged(): Promise<LogRow[]> {
  return app.db.query<LogRow>(
    'select * from public.system_logs order by created_at, operation desc',
  )
}

const REFRESHED = ['kpi_refresh_start', 'kpi_refresh_success']

async function operations(): Promise<string[]> {
  return (await logged()).map(({ operation }) => operation)
}

describe('the statements for people', () => {
  const statements = [
    'SELECT refresh_customer_kpis_cache();',
    `SELECT 
  last_updated,
  extract(hour from (NOW() - last_updated)) as hours_since_update
FROM customer_kpis_cache;`,
    'SELECT * FROM customer_kpis_cache;',
    `SELECT 
  operation,
  message,
  error_details,
  created_at
FROM public.system_logs 
WHERE operation LIKE 'kpi_refresh%'
ORDER BY created_at DESC;`,
    `-- Check API response times (if you add logging)
SELECT 
  AVG(response_time_ms) as avg_response_time,
  COUNT(*) as request_count
FROM api_logs 
WHERE endpoint = '/api/customers' 
AND created_at >= NOW() - INTERVAL '24 hours';`,
    "SELECT * FROM pg_matviews WHERE matviewname = 'customer_kpis_cache';",
    'REFRESH MATERIALIZED VIEW customer_kpis_cache;',
    'SELECT get_customer_kpis();',
    'SELECT get_customer_kpis_cached();',
  ]
  it.each(statements)('%s', async (statement) => {
    await app.db.query('select refresh_customer_kpis_cache()')
    const answer = await app.db.query(statement)
    expect(answer).toHaveLength(
      statement.startsWith('REFRESH') ? 0 : statement.includes('operation') ? answer.length : 1,
    )
  })

  it('the calls of the list are timed', async () => {
    await app.get('/api/customers?page=2', token)
    await eventually(async () => {
      const [row] = await app.db.query(String(statements[4]))
      expect(row).toMatchObject({ request_count: '1', avg_response_time: expect.any(Number) })
    })
  })

  it('the errors are found', async () => {
    await app.db.query('drop index customers.customer_kpis_cache_key')
    const [result] = await app.db.query('select * from refresh_customer_kpis_cache()')
    await app.db.query(
      'create unique index customer_kpis_cache_key on customers.customer_kpis_cache (tenant_id)',
    )
    expect(result).toMatchObject({ view_name: 'customer_kpis_cache', status: 'failed' })
    const rows = await app.db.query(
      "SELECT * FROM system_logs WHERE operation = 'kpi_refresh_error' ORDER BY created_at DESC LIMIT 5;",
    )
    const error = expect.stringContaining('cannot refresh materialized view')
    expect(rows).toMatchObject([{ error_details: { error } }])
  })
})

describe('every refresh is logged, its start before its end', () => {
  beforeEach(() => app.db.query('delete from system_logs'))

  it('by hand', async () => {
    await app.db.query('select refresh_customer_kpis_cache()')
    const [start, end] = await logged()
    expect([start?.operation, end?.operation]).toEqual(REFRESHED)
    expect(Number(start?.created_at)).toBeLessThan(Number(end?.created_at))
  })

  it('by the schedule', async () => {
    const run = { function_name: 'refreshCustomerKpis' }
    await app.post('/api/cron/execute', run, await app.token())
    expect(await operations()).toEqual(REFRESHED)
  })

  it('by the engine itself, on an event', async () => {
    await app.engine.views.event('etl.completed')
    await app.engine.views.tick()
    await app.engine.views.idle()
    expect(await operations()).toEqual(REFRESHED)
  })
})

const Answer = z.looseObject({ success: z.literal(true), refreshed_at: z.iso.datetime() })

async function ageOfView(): Promise<number> {
  const [row] = await app.db.query<{ ms: number }>(
    'select min(extract(epoch from now() - last_updated) * 1000)::float8 as ms from customer_kpis_cache',
  )
  return row?.ms ?? Number.NaN
}

describe('over HTTP', () => {
  const lines = [
    `0 */6 * * * curl -X POST https://your-domain.com/api/admin/refresh-kpis \\
  -H "Authorization: Bearer YOUR_DEV_TOKEN"`,
    'curl -X POST http://localhost:3000/api/admin/refresh-kpis',
    'curl -X POST https://your-domain.com/api/admin/refresh-kpis',
  ]
  it.each(lines)('%s', async (line) => {
    const command = line
      .replace('0 */6 * * * ', '')
      .replace(/https?:\/\/[^/]+/, app.url)
      .replace('YOUR_DEV_TOKEN', token)
    const withToken = command.includes('-H')
      ? command
      : `${command} -H "Authorization: Bearer ${token}"`
    const before = Date.now()
    const { stdout } = await promisify(execFile)('bash', ['-c', `${withToken} --silent --fail`])
    Answer.parse(JSON.parse(stdout))
    expect(await ageOfView()).toBeLessThan(Date.now() - before + 1000)
  })

  it('a platform that only knows paths and schedules refreshes with its secret', async () => {
    const text = await readFile(join(import.meta.dirname, 'vercel.json'), 'utf8')
    const Platform = z.strictObject({
      crons: z.tuple([z.strictObject({ path: z.string(), schedule: z.literal('0 */6 * * *') })]),
    })
    const [{ path }] = Platform.parse(JSON.parse(text)).crons
    await app.db.query('delete from system_logs')
    const response = await app.get(path, CRON_SECRET)
    expect(response.status).toBe(200)
    Answer.parse(await response.json())
    expect(await operations()).toEqual(REFRESHED)
  })

  it('nobody refreshes without a token, with a wrong one, or as a member', async () => {
    const path = '/api/admin/refresh-kpis'
    const member = await app.token({
      role: 'member',
      tenantId,
      subject: '00000000-0000-4000-8000-000000000001',
    })
    const tokens = [undefined, 'wrong', member]
    const statuses = await Promise.all(
      tokens.flatMap(async (one) => [
        (await app.get(path, one)).status,
        (await app.post(path, {}, one)).status,
      ]),
    )
    expect(statuses).toEqual([
      [401, 401],
      [401, 401],
      [403, 403],
    ])
  })

  it('after a refresh the KPIs of the page are the new ones', async () => {
    const kpis = async (): Promise<Kpis> =>
      Kpis.parse(await (await app.get('/api/customers/kpis', token)).json())
    const { totalCustomers } = await kpis()
    await app.db.query(
      `insert into customers.customers (tenant_id, customer_name, email) values ($1, 'New', 'a@b.example')`,
      [tenantId],
    )
    await app.post('/api/admin/refresh-kpis', {}, token)
    await app.engine.changes.drain()
    await eventually(async () => expect((await kpis()).totalCustomers).toBe(totalCustomers + 1))
  })
})
