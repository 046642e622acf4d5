// The dashboards of a thousand tenants.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { crm } from '../../domains/crm/index.ts'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { onlyReport, reportsOver } from '../../test/reports.ts'
import { createMemoryStore, type Store } from '../cache/index.ts'
import { systemClock } from '../clock.ts'
import type { Domain } from '../domain.ts'
import { GLOBAL } from '../tenancy/index.ts'
import type { ReportRequest, Reports } from './index.ts'
import { wholeTenant } from './request.ts'

const TENANTS = 1000

let database: TestDatabase
let store: Store
beforeAll(async () => {
  database = await testDatabase()
  store = createMemoryStore({ maxBytes: 100_000_000, clock: systemClock })
  await database.db.query(
    "insert into tenant (name) select 'Tenant ' || n from generate_series(1, $1::integer) n",
    [TENANTS],
  )
})
afterAll(() => database.drop())

const reportsOf = (domain: Domain): Promise<Reports> =>
  reportsOver({ db: database.db, domains: [domain], store, clock: systemClock })
const bundleOfAll = (reports: Reports): ReportRequest => ({
  report: onlyReport(reports),
  scope: wholeTenant(GLOBAL),
  variant: 'true',
})

test('a thousand tenants, and all of them merged, cost a few statements', async () => {
  const reports = await reportsOf(crm)
  const before = database.db.statements
  const summary = await reports.warm(onlyReport(reports), {})
  expect(summary).toMatchObject({ entries: 2 * (TENANTS + 1), failures: [] })
  expect(summary.warmed).toBe(summary.entries)
  expect(database.db.statements - before).toBeLessThanOrEqual(20)
  expect(await reports.read(bundleOfAll(reports), { bust: false })).toMatchObject({ cache: 'HIT' })
})

test('a definition that changed makes the entries of the old one unusable', async () => {
  const title = 'Another dashboard'
  const changed = {
    ...crm,
    reports: { dashboard_bundle: { ...crm.reports.dashboard_bundle, title } },
  }
  const reports = await reportsOf(changed)
  expect(await reports.read(bundleOfAll(reports), { bust: false })).toMatchObject({ cache: 'MISS' })
  const plan = await reports.plan(onlyReport(reports), {})
  expect(plan.due).toHaveLength(plan.entries - 1)
})
