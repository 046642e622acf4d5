import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { BUNDLE, httpWorld, problemOf, type HttpWorld } from '../test/http-world.ts'
import { testDatabase, type TestDatabase } from '../test/database.ts'
import { faultProxy, type FaultProxy } from '../test/fault-proxy.ts'

let database: TestDatabase
let proxy: FaultProxy
let world: HttpWorld

beforeAll(async () => {
  database = await testDatabase()
  proxy = await faultProxy({ host: '127.0.0.1', port: Number(new URL(database.url).port) })
  world = await httpWorld({ databaseUrl: proxy.through(database.url) })
})
beforeEach(() => void (world.log.length = 0))
afterAll(async () => {
  await world.stop()
  await proxy.stop()
  await database.drop()
})

// Names of tables and columns, statements, addresses, stacks and files.
const INTERNALS =
  /relation|column|select|crm\.|cron_job|ECONN|127\.0|localhost|\.ts|node_modules| at /

async function expectSilence(answer: Response): Promise<void> {
  const text = await answer.clone().text()
  expect(text).not.toMatch(INTERNALS)
}

async function whileHidden(table: string, ask: () => Promise<Response>): Promise<Response> {
  await database.db.query(`alter table ${table} rename to hidden`)
  const answer = await ask()
  const [schema, name = schema] = table.split('.')
  await database.db.query(`alter table ${schema}.hidden rename to ${name}`)
  return answer
}

test('a report whose SQL fails says that it could not be computed, and no more', async () => {
  const answer = await whileHidden('crm.leads', () =>
    world.get(`${BUNDLE}?tenant_id=${world.a.id}`, world.superadmin),
  )
  await expectSilence(answer)
  expect(await problemOf(answer)).toMatchObject({ status: 503, code: 'report_failed' })
})

test('what nobody foresaw says that something went wrong, and no more', async () => {
  const answer = await whileHidden('public.cron_job', () =>
    world.get('/api/cron/jobs', world.superadmin),
  )
  await expectSilence(answer)
  expect(await problemOf(answer)).toMatchObject({
    status: 500,
    code: 'internal',
    message: 'Something went wrong.',
  })
})

test('the log has the cause, under the id that the caller was told', async () => {
  const answer = await whileHidden('public.cron_job', () =>
    world.get('/api/cron/jobs', world.superadmin, { 'x-request-id': 'trace-1' }),
  )
  expect(await answer.json()).toMatchObject({ request_id: 'trace-1' })
  expect(world.log).toContainEqual({
    level: 'error',
    message: 'GET /api/cron/jobs failed: Something went wrong.',
    details: {
      request_id: 'trace-1',
      error: expect.objectContaining({ message: expect.stringContaining('cron_job') }),
    },
  })
})

test('what the caller did wrong is not an error of ours', async () => {
  await world.get('/nonsense')
  await world.get('/api/reports')
  await world.post('/api/reports/clear-cache', '{', world.superadmin)
  expect(world.log.filter(({ level }) => level === 'error')).toEqual([])
})

test('a database that is gone is said to be out of reach, without its address', async () => {
  await proxy.cut()
  for (const path of [`${BUNDLE}?tenant_id=${world.b.id}`, BUNDLE]) {
    const answer = await world.get(path, world.superadmin)
    await expectSilence(answer)
    expect(await problemOf(answer)).toMatchObject({ status: 503, code: 'unavailable' })
  }
  for (const path of ['/api/cron/jobs', '/health']) {
    const answer = await world.get(path, world.superadmin)
    expect(answer.status).toBeGreaterThanOrEqual(500)
    await expectSilence(answer)
  }
  await proxy.heal()
  expect((await world.get('/api/cron/jobs', world.superadmin)).status).toBe(200)
})
