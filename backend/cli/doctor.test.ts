import { afterAll, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import { cliWorld, type CliWorld } from '../test/cli-world.ts'
import { runProgram, type Ended, type Environment } from '../test/program.ts'

let world: CliWorld

beforeAll(async () => {
  world = await cliWorld()
  await world.json('migrate')
})
afterAll(() => world.end())

const Report = z.object({
  ok: z.boolean(),
  findings: z.array(z.object({ check: z.string(), ok: z.boolean(), detail: z.string() })),
})

type Run = (env: Environment) => Promise<Ended>

const here: Run = (env) => world.run('doctor --json', env)
const asProgram: Run = (env) => runProgram(['doctor', '--json'], { ...world.env, ...env })

async function diagnose(env: Environment = {}, run = here) {
  const { code, stdout } = await run(env)
  const { ok, findings } = Report.parse(JSON.parse(stdout))
  const problems = findings.filter((finding) => !finding.ok)
  const details = Object.fromEntries(problems.map(({ check, detail }) => [check, detail]))
  return { code, ok, checks: findings.length, details }
}

test('doctor finds nothing wrong where nothing is', async () => {
  expect(await diagnose()).toMatchObject({ code: 0, ok: true, details: {} })
  const { code, stdout } = await world.run('doctor')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^(ok {6}[a-z ]+: .+\n)+$/)
})

test('doctor tells all problems at once, each with what to do', async () => {
  const { db } = world.database
  await db.query('alter table crm.leads rename to hidden')
  await db.query(`delete from public.schema_migration where id like '%004%'`)
  await db.query(
    `update cron_job set is_active = false, paused_reason = 'nonsense' where name like 'Roll%'`,
  )
  const nowhere = 'redis://127.0.0.1:9'
  const wrong = {
    REDIS_CACHE_URL: nowhere,
    REDIS_QUEUE_URL: nowhere,
    CACHE_HARD_TTL_SECONDS: '300',
  }
  const { code, ok, details, checks } = await diagnose(wrong, asProgram)
  expect([code, ok]).toEqual([1, false])
  expect(details).toEqual({
    migrations: expect.stringContaining('run "prewarm migrate"'),
    cache: expect.stringContaining('did not answer'),
    lanes: expect.stringMatching(/REDIS_QUEUE_URL: The queue cannot be used/),
    reports: expect.stringMatching(/crm:dashboard_bundle does not run: .*crm\.leads/),
    'cron jobs': expect.stringContaining('"Roll Over Dashboard Bundles" is paused: nonsense'),
    lifetimes: expect.stringMatching(/CACHE_HARD_TTL_SECONDS is 300.* Set it above \d+/),
  })
  expect(checks).toBeGreaterThan(6)
})

test('doctor says that the database is out of reach, and still looks at the rest', async () => {
  const { code, details, checks } = await diagnose({ DATABASE_URL: 'postgres://127.0.0.1:9/x' })
  expect(code).toBe(1)
  expect(details['database']).toContain('ECONNREFUSED')
  expect(details).not.toHaveProperty('cache')
  expect(checks).toBeGreaterThan(6)
})
