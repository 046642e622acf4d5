import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import * as z from 'zod'
import { httpWorld, problemOf, type HttpWorld } from '../test/http-world.ts'

const JOBS = '/api/cron/jobs'
const WARM = 'warmDashboardBundleCache'
const NOBODY = '00000000-0000-4000-8000-000000000000'

let world: HttpWorld
/** The admins of two tenants. */
let alpha: string
let beta: string

beforeAll(async () => {
  world = await httpWorld()
  alpha = world.a.tokens.admin
  beta = world.b.tokens.admin
})
beforeEach(async () => {
  await world.db.query('delete from job_runs')
  await world.db.query('delete from cron_job')
})
afterAll(() => world.stop())

const Jobs = z.object({ data: z.object({ jobs: z.array(z.looseObject({ name: z.string() })) }) })
const Job = z.object({ data: z.object({ job: z.looseObject({ id: z.string() }) }) })
const Runs = z.object({ data: z.object({ runs: z.array(z.looseObject({ id: z.string() })) }) })

async function create(name: string, token: string, changes: object = {}): Promise<string> {
  const body = { name, schedule: 'hourly', function_name: WARM, ...changes }
  return Job.parse(await (await world.post(JOBS, body, token)).json()).data.job.id
}

async function jobsOf(token: string): Promise<string[]> {
  const { data } = Jobs.parse(await (await world.get(JOBS, token)).json())
  return data.jobs.map(({ name }) => name)
}

async function runsOf(token: string): Promise<string[]> {
  const { data } = Runs.parse(await (await world.get('/api/cron/runs', token)).json())
  return data.runs.map(({ id }) => id)
}

test('the job of an admin is for his tenant, whether he names it or not', async () => {
  for (const tenant of [{}, { tenant_id: null }, { tenant_id: world.a.id }]) {
    const id = await create(`Job ${JSON.stringify(tenant)}`, alpha, tenant)
    const answer = await world.get(`${JOBS}/${id}`, world.superadmin)
    expect(await answer.json()).toMatchObject({ data: { job: { tenant_id: world.a.id } } })
  }
})

test('an admin makes no job for another tenant', async () => {
  const body = { name: 'X', schedule: 'hourly', function_name: WARM, tenant_id: world.b.id }
  const answer = await world.post(JOBS, body, alpha)
  expect(await problemOf(answer)).toMatchObject({ status: 404, field: 'tenant_id' })
  expect(await jobsOf(world.superadmin)).toEqual([])
})

test('an admin lists the jobs of his tenant alone', async () => {
  await create('Of all', world.superadmin)
  await create('Of alpha', alpha)
  await create('Of beta', beta)
  expect(await jobsOf(alpha)).toEqual(['Of alpha'])
  expect(await jobsOf(beta)).toEqual(['Of beta'])
  expect(await jobsOf(world.superadmin)).toEqual(['Of all', 'Of alpha', 'Of beta'])
  const foreign = await world.get(`${JOBS}?tenant_id=${world.b.id}`, alpha)
  expect(await problemOf(foreign)).toMatchObject({ status: 404, field: 'tenant_id' })
})

test('a job of others is for an admin exactly as one that does not exist', async () => {
  const others = [await create('Of all', world.superadmin), await create('Of beta', beta)]
  const actions = [
    ['GET', ''],
    ['PUT', ''],
    ['DELETE', ''],
    ['POST', '/run'],
  ] as const
  for (const [method, action] of actions) {
    const problems = await Promise.all(
      [...others, NOBODY].map(async (id) => {
        const headers = { authorization: `Bearer ${alpha}` }
        const body = method === 'GET' ? {} : { body: '{"is_active": false}' }
        const url = `${world.url}${JOBS}/${id}${action}`
        return problemOf(await fetch(url, { method, headers, ...body }))
      }),
    )
    expect(problems).toEqual(Array(3).fill(problems[0]))
    expect(problems[0]).toMatchObject({ status: 404, field: 'id' })
  }
  expect(await jobsOf(world.superadmin)).toEqual(['Of all', 'Of beta'])
})

test('an admin sees the runs of his tenant alone', async () => {
  for (const token of [alpha, beta, world.superadmin]) {
    await world.post('/api/cron/execute', { function_name: WARM }, token)
  }
  const [ofAlpha, ofBeta] = [await runsOf(alpha), await runsOf(beta)]
  expect([ofAlpha.length, ofBeta.length]).toEqual([1, 1])
  expect(await runsOf(world.superadmin)).toHaveLength(3)
  for (const id of [...ofBeta, NOBODY]) {
    const answer = await world.get(`/api/cron/runs/${id}`, alpha)
    expect(await problemOf(answer)).toMatchObject({ status: 404, field: 'id' })
  }
})

test('what an admin executes is for his tenant, and he cannot name another', async () => {
  const execute = (body: object) =>
    world.post('/api/cron/execute', { function_name: WARM, ...body }, alpha)
  for (const body of [{}, { tenant_id: world.a.id }]) {
    const result = { details: { total_tenants: 1 } }
    expect(await (await execute(body)).json()).toMatchObject({ data: { result } })
  }
  const foreign = await execute({ tenant_id: world.b.id })
  expect(await problemOf(foreign)).toMatchObject({ status: 404, field: 'tenant_id' })
})

test('an admin who prunes the history prunes that of his tenant alone', async () => {
  await world.db.query(
    `insert into job_runs (tenant_id, job_name, function_name, kind, status, started_at,
                           finished_at, triggered_by)
     select tenant_id, 'Old', 'x', 'manual', 'success', '2020-01-01', '2020-01-01', 'test'
     from unnest(array[$1, $2, null]::uuid[]) tenant_id`,
    [world.a.id, world.b.id],
  )
  const id = await create('Prune', alpha, {
    function_name: 'pruneJobRuns',
    metadata: { retention_days: 1 },
  })
  await world.post(`${JOBS}/${id}/run`, {}, alpha)
  await world.post('/api/cron/execute', { function_name: 'pruneJobRuns' }, alpha)
  const left = await world.db.query(
    `select tenant_id from job_runs where job_name = 'Old' order by tenant_id nulls last`,
  )
  expect(left).toEqual([{ tenant_id: world.b.id }, { tenant_id: null }])
})
