import type { Executors, Ledger, Workers } from '../jobs/index.ts'
import type { Log } from '../log.ts'
import type { Timetable } from './timetable.ts'

/** What every step of a tick works with. */
export type Parts = {
  /** Also the database and the clock. */
  ledger: Ledger
  executors: Executors
  workers: Workers
  timetable: Timetable
  log: Log
}
