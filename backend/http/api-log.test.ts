import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { HOUR } from '../engine/clock.ts'
import type { LoggedRequest } from '../engine/monitoring/index.ts'
import { testDatabase, type TestDatabase } from '../test/database.ts'
import { eventually } from '../test/eventually.ts'
import { faultProxy, type FaultProxy } from '../test/fault-proxy.ts'
import { gate } from '../test/gate.ts'
import { BUNDLE, CRON_SECRET, httpWorld, type HttpWorld } from '../test/http-world.ts'
import { testLog } from '../test/log.ts'
import { createApiLog } from './api-log.ts'

type Row = Pick<LoggedRequest, 'endpoint' | 'method' | 'status'> & {
  cache_state: string | null
  tenant_id: string | null
}

describe('api_logs', () => {
  let database: TestDatabase
  let network: FaultProxy
  let world: HttpWorld
  beforeAll(async () => {
    database = await testDatabase()
    network = await faultProxy({ host: '127.0.0.1', port: Number(new URL(database.url).port) })
    world = await httpWorld({
      databaseUrl: network.through(database.url),
      settings: { localTrustMs: HOUR },
    })
  })
  beforeEach(() => database.db.query('truncate api_logs'))
  afterAll(async () => {
    await world.stop()
    await network.stop()
    await database.drop()
  })

  /** The rows, when there are that many. */
  async function logged(count: number): Promise<Row[]> {
    return eventually(async () => {
      const rows = await database.db.query<Row>(
        'select endpoint, method, status, cache_state, tenant_id from api_logs order by created_at',
      )
      expect(rows).toHaveLength(count)
      return rows
    })
  }

  test('has a row for each read of a report, also for those that are known to the hit path', async () => {
    const read = vi.spyOn(world.engine.reports, 'read')
    for (let time = 1; time <= 4; time += 1) {
      await world.get(`${BUNDLE}?tenant_id=${world.a.id}`, world.superadmin)
    }
    expect(read.mock.calls.length).toBeLessThan(4)
    read.mockRestore()
    const row = { endpoint: BUNDLE, method: 'GET', status: 200, tenant_id: world.a.id }
    expect(await logged(4)).toEqual(
      ['MISS', 'HIT', 'HIT', 'HIT'].map((cache_state) => ({ ...row, cache_state })),
    )
  })

  test.each([
    [
      'a report by its domain',
      '/api/reports/crm/dashboard_bundle?tenant_id=:a&x=secret',
      '/api/reports/:domain/:report',
      200,
    ],
    ['a report that there is not', '/api/reports/secret', '/api/reports/:alias', 404],
    ['a run that there is not', '/api/cron/runs/secret', '/api/cron/runs/:id', 404],
    ['a list', '/api/cron/jobs/?tenant_id=:a', '/api/cron/jobs', 200],
    ['other capitals', '/API/Cron/JOBS', '/api/cron/jobs', 200],
    ['no route', '/api/secret/1', 'unknown', 404],
  ])('names the route of %s, and no more of the path', async (_name, path, endpoint, status) => {
    await world.get(path.replace(':a', world.a.id), world.superadmin)
    expect(await logged(1)).toMatchObject([{ endpoint, status }])
  })

  test('has the tenant of the caller, and none for a scheduler or all tenants together', async () => {
    await world.get('/api/reports', world.a.tokens.member)
    await world.get('/api/reports', CRON_SECRET)
    await world.get(BUNDLE, world.superadmin)
    const tenants = (await logged(3)).map(({ tenant_id }) => tenant_id)
    expect(tenants).toEqual([world.a.id, null, null])
  })

  test('has requests without a good token, and of them nothing but that', async () => {
    await world.get('/api/cron/jobs', 'no token')
    expect(await logged(1)).toEqual([
      { endpoint: 'unknown', method: 'GET', status: 401, cache_state: null, tenant_id: null },
    ])
  })

  test('answers the question of the average response time', async () => {
    await world.get(`${BUNDLE}?tenant_id=${world.a.id}`, world.superadmin)
    await logged(1)
    const [answer] = await database.db.query<{ avg_response_time: number; request_count: string }>(
      `select avg(response_time_ms) as avg_response_time, count(*) as request_count
       from api_logs
       where endpoint = '${BUNDLE}' and created_at >= now() - interval '24 hours'`,
    )
    expect(answer?.request_count).toBe('1')
    expect(answer?.avg_response_time).toBeGreaterThan(0)
    expect(answer?.avg_response_time).toBeLessThan(5000)
  })

  test('loses what cannot be written while the database is away, and requests go on', async () => {
    const path = `${BUNDLE}?tenant_id=${world.a.id}`
    await world.get(path, world.superadmin)
    await logged(1)
    await network.cut()
    expect((await world.get(path, world.superadmin)).status).toBe(200)
    await eventually(() => {
      const said = world.log.map(({ message }) => message)
      expect(said).toContain('1 requests were not written to api_logs.')
    })
    await network.heal()
    await world.get(path, world.superadmin)
    await logged(2)
  })
})

const away = (): Promise<never> => Promise.reject(new Error('away'))

describe('the log of requests', () => {
  const request: LoggedRequest = {
    endpoint: '/api/reports',
    method: 'GET',
    status: 200,
    responseTimeMs: 1,
    cacheState: null,
    tenantId: null,
    at: 0,
  }
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  const written: number[] = []
  beforeEach(() => {
    written.length = 0
  })
  const write = async (requests: readonly LoggedRequest[]): Promise<void> => {
    written.push(requests.length)
  }

  test('is written once a second, in one go, and not while nothing happens', async () => {
    const apiLog = createApiLog({ write, isOn: true, log: testLog().log })
    for (let i = 0; i < 30; i += 1) apiLog.push(request)
    await vi.advanceTimersByTimeAsync(999)
    expect(written).toEqual([])
    await vi.advanceTimersByTimeAsync(5000)
    expect(written).toEqual([30])
    apiLog.push(request)
    await vi.advanceTimersByTimeAsync(1000)
    expect(written).toEqual([30, 1])
  })

  test('is written once more at the stop', async () => {
    const apiLog = createApiLog({ write, isOn: true, log: testLog().log })
    apiLog.push(request)
    await apiLog.stop()
    expect(written).toEqual([1])
  })

  test('keeps no more than fits, and says how much did not', async () => {
    const { log, entries } = testLog()
    const door = gate()
    const slow = async (requests: readonly LoggedRequest[]): Promise<void> => {
      await door.pass()
      await write(requests)
    }
    const apiLog = createApiLog({ write: slow, isOn: true, log, max: 10 })
    for (let i = 0; i < 10; i += 1) apiLog.push(request)
    await vi.advanceTimersByTimeAsync(1000)
    for (let i = 0; i < 25; i += 1) apiLog.push(request)
    door.open()
    await apiLog.stop()
    expect(written).toEqual([10, 10])
    expect(entries).toEqual([
      { level: 'warn', message: '15 requests were not written to api_logs.', details: {} },
    ])
  })

  test('says at most once a minute what was lost', async () => {
    const { log, entries } = testLog()
    const apiLog = createApiLog({ write: away, isOn: true, log })
    for (let second = 0; second < 20; second += 1) {
      apiLog.push(request)
      await vi.advanceTimersByTimeAsync(1000)
    }
    expect(entries).toHaveLength(1)
    await apiLog.stop()
    expect(entries.map(({ message }) => message)).toEqual([
      '1 requests were not written to api_logs.',
      '19 requests were not written to api_logs.',
    ])
  })

  test('is not kept when it is off', async () => {
    const apiLog = createApiLog({ write, isOn: false, log: testLog().log })
    apiLog.push(request)
    await apiLog.stop()
    expect(written).toEqual([])
  })
})
