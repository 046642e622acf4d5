// The reports of one process, over a store that the test holds. Several of them over one store are several processes.
import type { Store } from '../engine/cache/index.ts'
import { HOUR, type Clock } from '../engine/clock.ts'
import type { Db } from '../engine/db/index.ts'
import type { Domain } from '../engine/domain.ts'
import type { Log } from '../engine/log.ts'
import {
  createReports,
  loadCatalog,
  type InstalledReport,
  type Reports,
  type ReportSettings,
} from '../engine/reports/index.ts'
import { testLog } from './log.ts'

export type ReportsOver = {
  db: Db
  domains: readonly Domain[]
  store: Store
  clock: Clock
  settings?: Partial<ReportSettings>
  log?: Log
}

const SETTINGS: ReportSettings = {
  lifetimeMs: 36 * HOUR,
  freshMs: 36 * HOUR,
  leaseMs: 10_000,
  patienceMs: 10_000,
  rewarmMs: 0,
  renewAheadMs: () => 0,
  batchTenants: 100,
  concurrency: 1,
  localTrustMs: 0,
  localMaxBytes: 1_000_000,
}

export async function reportsOver(parts: ReportsOver): Promise<Reports> {
  const { db, domains, store, clock, settings, log = testLog().log } = parts
  return createReports({
    catalog: await loadCatalog(domains),
    db,
    store,
    bulkStore: store,
    clock,
    log,
    settings: { ...SETTINGS, ...settings },
  })
}

export function onlyReport({ catalog }: Reports): InstalledReport {
  const [report, ...others] = catalog.all
  if (report && others.length === 0) return report
  throw new Error(`There are ${catalog.all.length} reports.`)
}
