import { type Clock, SECOND } from '../clock.ts'
import type { Db } from '../db/index.ts'
import {
  createWorkers,
  type Executors,
  findRun,
  listRuns,
  type Page,
  type Run,
  type RunFilter,
} from '../jobs/index.ts'
import type { Log } from '../log.ts'
import type { Service } from '../service.ts'
import { createCronJobs, type CronJobs } from './cron-jobs.ts'
import { createHeartbeat } from './heartbeat.ts'
import type { Parts } from './parts.ts'
import { type DueAnswer, runDueNow } from './run-due-now.ts'
import { execute, type ExecuteOptions, type RunAnswer, runJobNow } from './run-now.ts'
import { seedSchedules, type SeedSchedule } from './seed.ts'
import { tick } from './tick.ts'
import { createTimetable } from './timetable.ts'

export type CronOptions = {
  db: Db
  executors: Executors
  clock: Clock
  log: Log
  /** A uuid of this process, under which it holds its runs. */
  instanceId: string
  /** How long the run of an instance that vanished stays untouched. */
  leaseMs: number
  /** How many due jobs run here at the same time. */
  concurrency: number
  /** How long runs may go on after `stop` before they are given to another instance. */
  drainMs?: number
}

type HistoryFilter = Omit<RunFilter, 'functionNames'> & {
  /** Either spelling of the function's name. */
  functionName?: string | undefined
}

export type Cron = Service & {
  jobs: CronJobs
  runs: {
    list(filter: HistoryFilter, page: Page): ReturnType<typeof listRuns>
    find(id: string): Promise<Run | undefined>
  }
  seedSchedules(schedules: readonly SeedSchedule[]): Promise<string[]>
  runDueNow(): Promise<DueAnswer>
  runJob(id: string, triggeredBy: string): Promise<RunAnswer>
  execute(functionName: string, options: ExecuteOptions): Promise<RunAnswer>
  /** Starts the heartbeat. Everything else works without it. */
  start(): Promise<void>
  /** One beat by hand. Starts what is due; `idle` waits for it. */
  tick(): Promise<void>
  idle(): Promise<void>
}

const DRAIN_MS = 6 * SECOND

export function createCron({ drainMs = DRAIN_MS, ...options }: CronOptions): Cron {
  const { db, executors, clock, log, instanceId, leaseMs, concurrency } = options
  const ledger = { db, clock, instanceId, leaseMs }
  const workers = createWorkers({ concurrency, drainMs })
  const timetable = createTimetable(log)
  const parts: Parts = { ledger, executors, workers, timetable, log }
  const waiting = new Set<string>()
  const heartbeat = createHeartbeat(() => tick(parts, waiting), log)
  return {
    jobs: createCronJobs({ db, clock, executors, timetable }),
    runs: {
      list: (filter, page) => listHistory(parts, filter, page),
      find: (id) => findRun(db, id),
    },
    seedSchedules: (schedules) => seedSchedules(parts, schedules),
    runDueNow: () => runDueNow(parts),
    runJob: (id, triggeredBy) => runJobNow(parts, id, triggeredBy),
    execute: (functionName, given) => execute(parts, functionName, given),
    start: () => heartbeat.start(),
    tick: () => tick(parts, waiting),
    idle: () => workers.idle(),
    stop: async () => {
      await Promise.all([heartbeat.stop(), workers.stop()])
      await workers.idle()
    },
  }
}

function listHistory(
  { ledger, executors }: Parts,
  { functionName, ...filter }: HistoryFilter,
  page: Page,
): ReturnType<typeof listRuns> {
  if (functionName === undefined) return listRuns(ledger.db, filter, page)
  const functionNames = executors.find(functionName)?.spellings ?? [functionName]
  return listRuns(ledger.db, { ...filter, functionNames }, page)
}
