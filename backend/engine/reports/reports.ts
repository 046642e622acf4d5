// Reports, put together from their parts: what the API, the executors and the CLI call.
import {
  createLocalEntries,
  createSingleFlight,
  type BustTarget,
  type Entry,
  type Store,
} from '../cache/index.ts'
import type { Clock } from '../clock.ts'
import type { Db } from '../db/index.ts'
import type { Lanes } from '../lanes/index.ts'
import type { Log } from '../log.ts'
import type { Catalog, InstalledReport } from './catalog.ts'
import { checkSql } from './compute.ts'
import { createEntryMaker, type EntryLifetimes } from './make-entry.ts'
import { createReader, type ReadResult } from './read.ts'
import type { ReportRequest } from './request.ts'
import { workOnBatches } from './warm-lanes.ts'
import { planWarming, warm, type WarmOptions, type WarmPlan, type WarmSummary } from './warm.ts'

export type ReportsOptions = {
  catalog: Catalog
  /** A pool of its own: its statement timeout is the longest that a report may take. */
  db: Db
  /** For readers, with a short timeout, and for warming, with a long one; the same place. */
  store: Store
  bulkStore: Store
  clock: Clock
  log: Log
  settings: ReportSettings
}

export type ReportSettings = EntryLifetimes & {
  leaseMs: number
  patienceMs: number
  rewarmMs: number
  renewAheadMs: (report: InstalledReport) => number
  batchTenants: number
  concurrency: number
  localTrustMs: number
  localMaxBytes: number
}

export type Reports = {
  catalog: Catalog
  read(request: ReportRequest, options: { bust: boolean }): Promise<ReadResult>
  /** The entry behind a key, if it may be served this instant without asking anybody. */
  trusted(key: string): Entry | undefined
  warm(report: InstalledReport, options: WarmOptions): Promise<WarmSummary>
  plan(report: InstalledReport, options: WarmOptions): Promise<WarmPlan>
  /** From now on warm batches of these lanes can be done here. */
  workOn(lanes: Lanes): void
  /** Asks the database for no tenant at all, which shows whether the SQL fits the tables. */
  check(report: InstalledReport): Promise<void>
  /** Drops entries, and returns how many. No computation that began before writes after it. */
  bust(target: BustTarget): Promise<number>
  idle(): Promise<void>
}

export function createReports(options: ReportsOptions): Reports {
  const { catalog, db, store, bulkStore, clock, log, settings } = options
  const { localMaxBytes: maxBytes, localTrustMs: trustMs } = settings
  const local = createLocalEntries({ maxBytes, trustMs, clock })
  const flight = createSingleFlight()
  const makeEntry = createEntryMaker(settings)
  const reader = createReader({ db, store, local, flight, clock, log, makeEntry, ...settings })
  const warmer = { db, store: bulkStore, clock, log, makeEntry, ...settings }
  return {
    catalog,
    read: reader.read,
    idle: reader.idle,
    trusted: local.trusted,
    warm: (report, warmOptions) => warm(warmer, report, warmOptions),
    plan: (report, warmOptions) => planWarming(warmer, report, warmOptions),
    workOn: (lanes) => workOnBatches(lanes, catalog, warmer),
    check: (report) => checkSql(db, report, clock()),
    bust: async (target) => {
      try {
        return await bulkStore.bust(target)
      } finally {
        local.forgetAll()
      }
    },
  }
}
