// Reports over views that are behind, and over tables that nobody watches.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { testClock } from '../../test/clock.ts'
import { eventually } from '../../test/eventually.ts'
import { probe, probeData, type Probe } from '../../test/probe.ts'
import { onlyReport, reportsOver } from '../../test/reports.ts'
import { createMemoryStore, type Store } from '../cache/index.ts'
import { MINUTE, systemClock } from '../clock.ts'
import type { Domain, Report } from '../domain.ts'
import type { Reports } from './index.ts'
import { wholeTenant } from './request.ts'

const { clock, set: setTime } = testClock('2026-03-10T12:00:00Z')

let world: Probe
let store: Store
let reports: Reports
let tenantId: string

beforeAll(async () => {
  world = await probe()
  const views = join(world.domain.folder, 'views')
  await mkdir(views)
  await Promise.all(
    ['lower', 'upper'].map((name) => writeFile(join(views, `${name}.sql`), 'select 1')),
  )
  await world.db.query(`
    insert into view_state (view_name, domain, definition_hash, target_lag_seconds, key_columns, last_success_at, last_duration_ms, row_count)
    values ('lower', 'probe', '1', 60, '{id}', now(), 0, 0)`)
})
beforeEach(async () => {
  setTime('2026-03-10T12:00:00Z')
  await world.db.query('delete from view_change')
  ;[tenantId = ''] = await world.tenants(1)
  store = createMemoryStore({ maxBytes: 1_000_000, clock: systemClock })
  reports = await over({ reads: ['upper'] })
})
afterAll(() => world.end())

const byId = { uniqueBy: ['id'], refresh: [], targetLagSeconds: 60 } as const
/** A report over a view over a view over a table. */
const over = (report: Partial<Report>, isTracked = true): Promise<Reports> => {
  const counted = { title: 'Counted', reads: [], changesAt: 'never', ...report } as const
  const domain: Domain = {
    ...world.domain,
    sources: { tenants: { tenantColumn: 'id', isTracked } },
    views: { lower: { ...byId, reads: ['tenants'] }, upper: { ...byId, reads: ['lower'] } },
    reports: { counted },
  }
  return reportsOver({ db: world.db, domains: [domain], store, clock })
}
const read = async () => {
  const request = { report: onlyReport(reports), scope: wholeTenant(tenantId), variant: null }
  const { cache, entry } = await reports.read(request, { bust: false })
  await reports.idle()
  return { cache, ...probeData(entry) }
}
const fallBehind = (id = tenantId) =>
  world.db.query(
    "insert into view_change (view_name, tenant_id, change, changed_at) values ('lower', $1, 1, now())",
    [id],
  )
/** What the drainer does after a refresh. */
const catchUp = async (): Promise<void> => {
  await world.db.query('delete from view_change')
  await store.move([{ tenant: tenantId, report: 'probe:counted' }])
}

describe('a report over a view that is behind for its tenant', () => {
  test('is stale from birth, and not computed at each read, until the view was refreshed', async () => {
    await fallBehind()
    const { cache, computation } = await read()
    expect(cache).toBe('STALE')
    expect(await read()).toMatchObject({ cache: 'STALE', computation })
    expect(await read()).toMatchObject({ cache: 'STALE', computation })
    await catchUp()
    expect(await read()).toMatchObject({ cache: 'STALE', computation })
    expect(await read()).toMatchObject({ cache: 'HIT', computation: computation + 1 })
  })

  test('is as stale when it was warmed, which is a success', async () => {
    await fallBehind()
    const summary = await reports.warm(onlyReport(reports), { tenantId })
    expect(summary).toMatchObject({ warmed: 1, failures: [] })
    expect(await read()).toMatchObject({ cache: 'STALE' })
  })

  test('is as fresh as any when the view is behind for another one', async () => {
    const [other = ''] = await world.tenants(1)
    await fallBehind(other)
    expect(await read()).toMatchObject({ cache: 'MISS' })
    expect(await read()).toMatchObject({ cache: 'HIT' })
  })

  test('tells so also whom it was computed for anew', async () => {
    await fallBehind()
    const request = { report: onlyReport(reports), scope: wholeTenant(tenantId), variant: null }
    expect(await reports.read(request, { bust: true })).toMatchObject({ cache: 'STALE' })
  })
})

describe('a report over a table that nobody watches', () => {
  test('is fresh for five minutes, whatever the others are', async () => {
    reports = await over({ reads: ['tenants'] }, false)
    await read()
    setTime('2026-03-10T12:04:59Z')
    expect(await read()).toMatchObject({ cache: 'HIT' })
    setTime(new Date(Date.parse('2026-03-10T12:00:00Z') + 5 * MINUTE).toISOString())
    expect(await read()).toMatchObject({ cache: 'STALE' })
    await eventually(async () => expect(await read()).toMatchObject({ cache: 'HIT' }))
  })

  test('through a view is as fresh as the view', async () => {
    reports = await over({ reads: ['upper'] }, false)
    await read()
    setTime('2026-03-10T15:00:00Z')
    expect(await read()).toMatchObject({ cache: 'HIT' })
  })
})
