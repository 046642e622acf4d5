import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import * as z from 'zod'
import { BUNDLE, CRON_SECRET, httpWorld, problemOf, type HttpWorld } from '../test/http-world.ts'
import { gate } from '../test/gate.ts'
import { eventually } from '../test/eventually.ts'

const JOBS = '/api/cron/jobs'
const EXECUTE = '/api/cron/execute'
const WARM = 'warmDashboardBundleCache'
const JOB = { name: 'Nightly', schedule: 'cron:0 0 * * *', function_name: WARM }
const NOBODY = '00000000-0000-4000-8000-000000000000'

let world: HttpWorld

beforeAll(async () => {
  world = await httpWorld()
})
beforeEach(async () => {
  await world.db.query('delete from job_runs')
  await world.db.query('delete from cron_job')
  await world.post('/api/reports/clear-cache', {}, world.superadmin)
})
afterAll(() => world.stop())

type Answer = { status: number; body: unknown }

async function ask(
  method: string,
  path: string,
  { body, token = world.superadmin }: { body?: object; token?: string } = {},
): Promise<Answer> {
  const answer = await fetch(`${world.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  return { status: answer.status, body: await answer.json() }
}

const WithJob = z.object({ data: z.object({ job: z.looseObject({ id: z.string() }) }) })
const WithRun = z.object({ data: z.object({ result: z.looseObject({ run_id: z.string() }) }) })

async function create(changes: object = {}, token = world.superadmin): Promise<string> {
  const { body } = await ask('POST', JOBS, { body: { ...JOB, ...changes }, token })
  return WithJob.parse(body).data.job.id
}

async function stateOf(tenantId: string): Promise<string | null> {
  const path = `${BUNDLE}?tenant_id=${tenantId}`
  return (await world.get(path, world.superadmin)).headers.get('x-cache')
}

test('a cron job is made, planned, shown, changed and deleted', async () => {
  const made = await ask('POST', JOBS, { body: JOB })
  const next_run = expect.stringMatching(/T00:00:00.000Z$/)
  const job = {
    ...JOB,
    tenant_id: null,
    is_active: true,
    next_run,
    last_run: null,
    timezone: 'UTC',
  }
  expect(made).toMatchObject({ status: 201, body: { status: 'success', data: { job } } })
  const path = `${JOBS}/${WithJob.parse(made.body).data.job.id}`
  expect(await ask('GET', path)).toMatchObject({ status: 200, body: { data: { job } } })
  expect(await ask('GET', JOBS)).toMatchObject({ body: { data: { jobs: [job], total: 1 } } })
  const changed = { ...job, schedule: 'hourly', next_run: expect.stringMatching(/:00:00.000Z$/) }
  expect(await ask('PUT', path, { body: { schedule: 'hourly' } })).toMatchObject({
    status: 200,
    body: { data: { job: changed } },
  })
  expect(await ask('DELETE', path)).toMatchObject({ body: { data: { job: changed } } })
  expect(await ask('GET', path)).toMatchObject({ status: 404, body: { field: 'id' } })
  expect(await ask('DELETE', path)).toMatchObject({ status: 404, body: { field: 'id' } })
})

const WithJobs = z.object({
  data: z.object({ jobs: z.array(z.object({ name: z.string() })) }),
})

async function listed(query: string): Promise<string[]> {
  const { body } = await ask('GET', `${JOBS}?${query}`)
  return WithJobs.parse(body).data.jobs.map(({ name }) => name)
}

test('jobs are listed by tenant and by whether they are active', async () => {
  await create({ name: 'Paused', is_active: false })
  await create({ name: 'Of a', tenant_id: world.a.id })
  expect(await listed('')).toEqual(['Of a', 'Paused'])
  expect(await listed('is_active=true')).toEqual(['Of a'])
  expect(await listed('is_active=false')).toEqual(['Paused'])
  expect(await listed(`tenant_id=${world.a.id.toUpperCase()}`)).toEqual(['Of a'])
  expect(await listed(`tenant_id=${NOBODY}`)).toEqual([])
})

test('a name is given once', async () => {
  await create()
  const taken = { status: 409, body: { code: 'conflict', field: 'name' } }
  expect(await ask('POST', JOBS, { body: JOB })).toMatchObject(taken)
  const other = await create({ name: 'Other' })
  expect(await ask('PUT', `${JOBS}/${other}`, { body: { name: JOB.name } })).toMatchObject(taken)
})

test('a change without a field, or with a wrong one, is refused', async () => {
  const path = `${JOBS}/${await create()}`
  const nothing = { status: 400, body: { message: 'No fields to update' } }
  expect(await ask('PUT', path, { body: {} })).toMatchObject(nothing)
  expect(await ask('PUT', path, { body: { tenant_id: world.a.id } })).toMatchObject(nothing)
  for (const [field, value] of Object.entries({
    schedule: 'x',
    timezone: 'x',
    function_name: 'x',
  })) {
    const answer = await ask('PUT', path, { body: { [field]: value } })
    expect(answer).toMatchObject({ status: 400, body: { code: 'bad_request', field } })
  }
  expect(await ask('PUT', path)).toMatchObject({ status: 400 })
  expect(await ask('GET', path)).toMatchObject({ body: { data: { job: JOB } } })
})

test('a job that is run warms what it is for, and leaves a run', async () => {
  const id = await create({ tenant_id: world.a.id })
  const ran = await ask('POST', `${JOBS}/${id}/run`)
  expect(ran).toMatchObject({
    status: 200,
    body: {
      status: 'success',
      data: {
        job: { id, name: JOB.name, function_name: WARM },
        result: { success: true, status: 'success', details: { total_tenants: 1 } },
        duration_ms: expect.any(Number),
      },
    },
  })
  expect([await stateOf(world.a.id), await stateOf(world.b.id)]).toEqual(['HIT', 'MISS'])
  const run = { cron_job_id: id, status: 'success', triggered_by: 'tester', kind: 'manual' }
  const runs = await ask('GET', `/api/cron/runs?cron_job_id=${id}&status=success`)
  expect(runs).toMatchObject({ body: { data: { runs: [run], total: 1, page: 1, pageSize: 20 } } })
  const path = `/api/cron/runs/${WithRun.parse(ran.body).data.result.run_id}`
  expect(await ask('GET', path)).toMatchObject({ body: { data: { run } } })
})

test.each([WARM, 'warm_dashboard_bundle_cache'])('the function %s is executed', async (name) => {
  const executed = await ask('POST', EXECUTE, { body: { function_name: name } })
  const result = { success: true, details: { total_tenants: 2, total_bundles_warmed: 6 } }
  expect(executed).toMatchObject({ status: 200, body: { data: { job: null, result } } })
  expect([await stateOf(world.a.id), await stateOf(world.b.id)]).toEqual(['HIT', 'HIT'])
  for (const spelling of [WARM, 'warm_dashboard_bundle_cache']) {
    const runs = await ask('GET', `/api/cron/runs?function_name=${spelling}`)
    expect(runs).toMatchObject({ body: { data: { total: 1 } } })
  }
})

test('the platform scheduler executes a function, for one tenant or for all', async () => {
  const body = { function_name: WARM, tenant_id: world.b.id }
  const executed = await ask('POST', EXECUTE, { body, token: CRON_SECRET })
  expect(executed).toMatchObject({ body: { data: { result: { details: { total_tenants: 1 } } } } })
  expect(await ask('GET', '/api/cron/runs')).toMatchObject({
    body: { data: { runs: [{ triggered_by: 'scheduler', tenant_id: world.b.id }] } },
  })
})

const runDue = () => ask('POST', '/api/cron/run', { token: CRON_SECRET })

test('what is due is run once', async () => {
  const id = await create()
  await world.db.query(`update cron_job set next_run = now() - interval '1 minute'`)
  expect(await runDue()).toMatchObject({
    status: 200,
    body: { data: { summary: { total: 1, executed: 1, failed: 0 }, executed: [{ id }] } },
  })
  expect(await runDue()).toMatchObject({ body: { data: { summary: { total: 0, executed: 0 } } } })
})

test('a run that fails is not a success', async () => {
  await world.db.query('alter table crm.leads rename to hidden')
  const failed = await ask('POST', EXECUTE, { body: { function_name: WARM } })
  await world.db.query('alter table crm.hidden rename to leads')
  expect(failed).toMatchObject({
    status: 500,
    body: {
      status: 'error',
      code: 'run_failed',
      message: expect.any(String),
      request_id: expect.any(String),
      data: { result: { success: false, status: 'failed' } },
    },
  })
  expect(await ask('GET', '/api/cron/runs?status=failed')).toMatchObject({
    body: { data: { total: 1 } },
  })
})

test('a job that is running is not run beside itself', async () => {
  const id = await create()
  const hold = gate()
  const held = world.db.transaction(async (tx) => {
    await tx.query('lock table crm.leads in access exclusive mode')
    await hold.pass()
  })
  await hold.arrived
  const first = ask('POST', `${JOBS}/${id}/run`)
  await eventually(async () => {
    const running = await ask('GET', '/api/cron/runs?status=running')
    expect(running).toMatchObject({ body: { data: { total: 1 } } })
  })
  const second = await ask('POST', `${JOBS}/${id}/run`)
  hold.open()
  await held
  expect(second).toMatchObject({ status: 409, body: { code: 'conflict' } })
  expect(await first).toMatchObject({ status: 200 })
})

test('an error has the form of every error', async () => {
  const answer = await world.get(`${JOBS}/${NOBODY}`, world.superadmin)
  expect(await problemOf(answer)).toMatchObject({ status: 404, code: 'not_found' })
})
