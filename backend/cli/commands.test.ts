import { afterAll, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import { cliWorld, type CliWorld } from '../test/cli-world.ts'
import { runProgram } from '../test/program.ts'

const NOBODY = '00000000-0000-4000-8000-000000000000'
const JOB = 'Warm+Dashboard+Bundle+Cache'

let world: CliWorld

// The tests tell one story, from an empty database on.
beforeAll(async () => {
  world = await cliWorld({ empty: true })
})
afterAll(() => world.end())

const Applied = z.object({ applied: z.array(z.string()), seeded: z.array(z.string()) })
const Tenants = z.object({ tenants: z.array(z.object({ id: z.string() })) })
const Warmed = z.array(z.looseObject({ report: z.string() }))
const Busted = z.object({ entries: z.number() })
const Plans = z.array(z.object({ due: z.array(z.string()) }))

async function firstTenant(): Promise<string> {
  const { tenants } = Tenants.parse(await world.json('tenants --limit 1'))
  return tenants[0]?.id ?? ''
}

test('on a database without the tables a command says what to do first', async () => {
  const { code, stdout, stderr } = await world.run('status')
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toMatch(/^Migrations have to be applied first \(\d+\): run "prewarm migrate"\.\n$/)
})

test('a database that cannot be reached is a sentence that names the setting', async () => {
  const { code, stderr } = await world.run('status', { DATABASE_URL: 'postgres://127.0.0.1:9/x' })
  expect(code).toBe(1)
  expect(stderr).toMatch(/^DATABASE_URL: the database cannot be used: .*ECONNREFUSED.*\n$/)
})

test('migrate makes tables and cron jobs, once', async () => {
  const first = Applied.parse(await world.json('migrate'))
  expect(first.applied.length).toBeGreaterThan(3)
  expect(first.seeded).toContain('Warm Dashboard Bundle Cache')
  expect(await world.json('migrate')).toEqual({ applied: [], views: [], seeded: [] })
})

test('demo makes the tenants that do not exist', async () => {
  expect(await world.json('demo --tenants 2 --rows 4')).toMatchObject({ made: 2, existed: 0 })
  expect(await world.json('demo --tenants 3 --rows 4')).toMatchObject({ made: 1, existed: 2 })
  expect(await world.json('demo --tenants 3 --rows 4')).toMatchObject({ made: 0, existed: 3 })
  expect(await world.json('tenants')).toMatchObject({ total: 3 })
  const { stdout } = await world.run('tenants --ids --limit 2')
  expect(stdout).toMatch(/^([0-9a-f-]{36}\n){2}$/)
})

test('demo gives tenants the data of a domain in which they have none, and leaves the others as they are', async () => {
  const { db } = world.database
  const [tenant] = z
    .array(z.object({ id: z.string() }))
    .parse(await db.query('select id from tenant'))
  for (const table of ['package_usage', 'packages', 'sales', 'customers'])
    await db.query(`delete from customers.${table} where tenant_id = $1`, [tenant?.id])
  await db.query('delete from campaigns.leads')
  expect(await world.json('demo --tenants 3 --rows 40')).toMatchObject({ made: 0, filled: 1 })
  const counted = `select count(*)::int as rows, (select count(*)::int from campaigns.leads) as others
                   from customers.customers where tenant_id = $1`
  expect(await db.query(counted, [tenant?.id])).toEqual([{ rows: 10, others: 0 }])
})

test('demo refreshes the views, so that the first dashboards are warm and show everything', async () => {
  const views = z.array(z.object({ view_name: z.string(), changed: z.boolean() }))
  const sql = `select view_name, is_pending or changed_tenants > 0 as changed from view_freshness`
  const freshness = views.parse(await world.database.db.query(sql))
  expect(freshness.length).toBe(8)
  expect(freshness.filter(({ changed }) => changed)).toEqual([])
  const shown = `select count(*)::int as tenants from customer_kpis_cache where total_customers > 0`
  expect(await world.database.db.query(shown)).toEqual([{ tenants: 3 }])
})

test('warm --plan lists what warm computes, and computes nothing', async () => {
  const planned = Plans.parse(await world.json('warm --plan'))
  expect(planned[0]?.due).toHaveLength(8)
  expect(Plans.parse(await world.json('warm --plan'))).toEqual(planned)
  const { stdout, stderr } = await world.run('warm')
  expect(stdout).toContain('3 tenants, 8 entries warmed')
  expect(stderr).toContain('Warming dashboard-bundle 8/8')
})

test('warm --expired computes only what is not fresh, and --tenant one tenant', async () => {
  const tenant = await firstTenant()
  const [bundles] = Warmed.parse(await world.json('warm --expired'))
  expect(bundles).toMatchObject({ skippedFresh: 8, failures: [] })
  const busted = Busted.parse(await world.json(`bust --tenant ${tenant.toUpperCase()}`))
  expect(busted.entries).toBeGreaterThanOrEqual(2)
  const { stdout } = await world.run('warm --expired')
  expect(stdout).toContain('2 entries warmed')
  expect(Warmed.parse(await world.json(`warm --tenant ${tenant}`))[0]).toMatchObject({ tenants: 1 })
  const unknown = await world.run(`warm --tenant ${NOBODY}`)
  expect([unknown.code, unknown.stderr]).toEqual([1, 'There is no such active tenant.\n'])
})

test('bust says how many entries went', async () => {
  expect(await world.json('bust --report crm:dashboard_bundle')).toEqual({ entries: 8 })
  await world.json('bust --all')
  expect(await world.json('bust --all')).toEqual({ entries: 0 })
  const unknown = await world.run('bust --report crm:nonsense')
  expect(unknown.code).toBe(2)
  expect(unknown.stderr).toContain('There are: crm:dashboard_bundle')
})

test('a cron job is listed, paused, resumed and run by its name', async () => {
  const [paused, listed] = [
    await world.json(`cron pause ${JOB} --reason holiday`),
    await world.json('cron list'),
  ]
  expect(paused).toMatchObject({ job: { is_active: false, paused_reason: 'holiday' } })
  expect(listed).toMatchObject({
    total: z.object({ jobs: z.array(z.unknown()) }).parse(listed).jobs.length,
  })
  expect((await world.run('cron list')).stdout).toContain('no: holiday')
  const resumed = { job: { is_active: true, paused_reason: null, next_run: expect.any(String) } }
  expect(await world.json(`cron resume ${JOB}`)).toMatchObject(resumed)
  expect(await world.json('cron run warmDashboardBundleCache')).toMatchObject({
    job: { name: 'Warm Dashboard Bundle Cache' },
    result: { success: true, details: { total_bundles_warmed: 8 } },
  })
})

test('a cron job that does not exist is wrong usage, and those that exist are named', async () => {
  const { code, stderr } = await world.run('cron run Nonsense')
  expect(code).toBe(2)
  expect(stderr).toContain('There is no job "Nonsense". There are: ')
  expect(stderr).toContain('"Warm Dashboard Bundle Cache"')
})

test('a run that fails ends with 1, and its warnings are not in the middle of the JSON', async () => {
  await world.database.db.query('alter table crm.leads rename to hidden')
  const [run, warm] = await Promise.all([
    runProgram(['cron', 'run', 'warmDashboardBundleCache', '--json'], world.env),
    runProgram(['warm'], world.env),
  ])
  await world.database.db.query('alter table crm.hidden rename to leads')
  expect([run.code, warm.code]).toEqual([1, 1])
  expect(JSON.parse(run.stdout)).toMatchObject({ result: { success: false, status: 'failed' } })
  expect(run.stderr).toContain('A job did not end well.')
})

test('status tells of services, entries, jobs and runs', async () => {
  const bundles = { report: 'crm:dashboard_bundle', tenants: 3, entries: 8, fresh: 8 }
  expect(await world.json('status')).toMatchObject({
    health: { status: 'ok', services: { postgres: { status: 'ok' } } },
    reports: expect.arrayContaining([bundles]),
    views: expect.arrayContaining([expect.objectContaining({ view_name: 'mv_daily_stats' })]),
    runs: expect.arrayContaining([
      expect.objectContaining({ function_name: 'warmDashboardBundleCache', status: 'failed' }),
    ]),
  })
  const { stdout } = await world.run('status')
  expect(stdout).toContain('crm:dashboard_bundle: 8 of 8 entries of 3 tenants are fresh')
  expect(stdout).toMatch(/^views: 8 of 8 show the newest data$/m)
})

test('without a Redis what it would write is refused, because nobody would see it', async () => {
  const alone = { PATH: '/nonexistent', REDIS_CACHE_URL: '' }
  const { code, stderr } = await world.run('warm', alone)
  expect(code).toBe(1)
  expect(stderr).toContain('POST /api/cron/execute')
  const status = await world.run('status', alone)
  expect(status.stdout).toContain('are not seen from here')
})
