import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { TestApp } from '../../test/app.ts'
import { faultProxy } from '../../test/fault-proxy.ts'
import { probe, readProbe, type Probe } from '../../test/probe.ts'
import { onlyReport } from '../../test/reports.ts'
import { messageOf } from '../errors.ts'
import type { InstalledReport, WarmOptions, WarmSummary } from './index.ts'
import { eventually } from '../../test/eventually.ts'

const TENANTS = 32
const REPORT_TIMEOUT_MS = 150

let world: Probe
let app: TestApp
let ids: string[]

beforeAll(async () => {
  world = await probe()
  app = await world.app({ settings: { batchTenants: TENANTS, reportTimeoutMs: REPORT_TIMEOUT_MS } })
})
beforeEach(async () => {
  await world.reset()
  ids = await world.tenants(TENANTS)
})
afterAll(() => world.end())

const report = (): InstalledReport => onlyReport(app.engine.reports)
const warm = (options: WarmOptions = {}): Promise<WarmSummary> =>
  app.engine.reports.warm(report(), options)
const failureOf = (work: Promise<unknown>): Promise<string> => work.then(() => 'none', messageOf)
const run = () => app.engine.cron.execute('warmCounted', { triggeredBy: 'a test' })

describe('a tenant whose report fails', () => {
  test('is named, and costs the others nothing but a few statements', async () => {
    const bad = ids[20] ?? ''
    await world.make(bad, 'fail')
    const summary = await warm()
    expect(summary).toMatchObject({ warmed: TENANTS - 1, skippedFresh: 0, failedEntries: 1 })
    expect(summary.failures).toEqual([
      { tenant_id: bad, tenant_name: 'Tenant 21', error: 'division by zero' },
    ])
    expect(summary.statements).toBe(11)
    expect((await readProbe(app, ids[19] ?? '')).cache).toBe('HIT')
    expect((await readProbe(app, bad)).status).toBe(503)
  })

  test('keeps its last good entry', async () => {
    await warm()
    const [bad = ''] = ids
    await world.make(bad, 'fail')
    const summary = await warm({ renewOlderThan: new Date(Date.now() + 1) })
    expect(summary).toMatchObject({ warmed: TENANTS - 1, failures: [{ tenant_id: bad }] })
    expect(await readProbe(app, bad)).toMatchObject({ cache: 'HIT', word: 'hello' })
  })

  test('makes the run partial, and is named in it', async () => {
    await Promise.all([3, 4, 30].map((i) => world.make(ids[i] ?? '', 'fail')))
    const { result } = await run()
    expect(result).toMatchObject({ status: 'partial', processed: 32, succeeded: 29, failed: 3 })
    expect(result.message).toContain('29 entries warmed, 0 were fresh, 3 tenants failed')
    expect(result.details['errors']).toMatchObject([
      { tenant_name: 'Tenant 4' },
      { tenant_name: 'Tenant 5' },
      { tenant_name: 'Tenant 31' },
    ])
  })

  test('makes the run failed when there is no other', async () => {
    await Promise.all(ids.map((id) => world.make(id, 'fail')))
    expect((await run()).result).toMatchObject({ status: 'failed', succeeded: 0, failed: 32 })
  })
})

test('a tenant whose report takes too long is named, and all others are warmed', async () => {
  const slow = ids[9] ?? ''
  await world.make(slow, 'sleep')
  const summary = await warm()
  expect(summary).toMatchObject({ warmed: TENANTS - 1, failedEntries: 1, statements: 11 })
  expect(summary.failures).toEqual([
    {
      tenant_id: slow,
      tenant_name: 'Tenant 10',
      error: 'canceling statement due to statement timeout',
    },
  ])
})

test('SQL that fails whatever the tenant fails the run at once, and blames no tenant', async () => {
  await world.db.query('alter table probe.tenants rename to elsewhere')
  try {
    const { result } = await run()
    expect(result).toMatchObject({ status: 'failed', processed: 0, details: {} })
    expect(result.message).toBe('relation "probe.tenants" does not exist')
  } finally {
    await world.db.query('alter table probe.elsewhere rename to tenants')
  }
})

describe('a run that is aborted', () => {
  test('begins no further statement, not even for a part of a batch', async () => {
    const before = await world.computations()
    await world.make(ids[5] ?? '', 'fail')
    const gate = await world.closeGate()
    const stop = new AbortController()
    const failure = failureOf(warm({ signal: stop.signal }))
    await eventually(async () => expect(await world.computations()).toBeGreaterThan(before))
    stop.abort(new Error('enough'))
    await gate.open()
    expect(await failure).toBe('enough')
    expect(await world.computations()).toBeLessThanOrEqual(before + TENANTS)
  })
})

describe('a database that goes away in the middle', () => {
  test('fails the run, which says so, and nothing goes on behind it', async () => {
    const { hostname, port } = new URL(world.databaseUrl)
    const proxy = await faultProxy({ host: hostname, port: Number(port) })
    const databaseUrl = proxy.through(world.databaseUrl)
    const settings = { batchTenants: 4, warmConcurrency: 2 }
    const { engine } = await world.app({ databaseUrl, settings })
    const gate = await world.closeGate()
    const failure = failureOf(engine.reports.warm(report(), {}))
    await eventually(async () => expect(await world.computations()).toBe(2))
    await proxy.cut()
    await gate.open()
    expect(await failure).toMatch(/terminated|ECONN/)
    const begun = await world.computations()
    await proxy.heal()
    expect(await engine.reports.warm(report(), {})).toMatchObject({
      entries: TENANTS,
      failures: [],
    })
    expect(begun).toBeLessThanOrEqual(8)
    await proxy.stop()
  })
})
