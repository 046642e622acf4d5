// Views and jobs that do well or badly, and instances that watch them.
import { connect, type Db } from '../engine/db/index.ts'
import {
  createMonitoring,
  type Monitoring,
  type MonitoringSettings,
} from '../engine/monitoring/index.ts'
import { testClock } from './clock.ts'
import { testDatabase } from './database.ts'
import { testLog, type LogEntry } from './log.ts'

export const NOON = '2026-01-10T12:00:00.000Z'

export type MonitoringWorld = {
  db: Db
  logged: LogEntry[]
  /** One more instance, with its own pool. */
  instance(settings?: Partial<MonitoringSettings>, domains?: readonly string[]): Monitoring
  /** Moves the clock of every instance. */
  setTime(time: string): void
  /** Makes a view that was refreshed at noon and should be at most five minutes old. */
  view(name: string): Promise<void>
  failView(name: string, at: string, error?: string): Promise<void>
  refreshView(name: string, at: string): Promise<void>
  job(name: string): Promise<void>
  /** Runs of a job that began at these times and ended a second later. */
  runs(name: string, status: string, times: readonly string[]): Promise<void>
  /** Stops the instances, empties the tables and sets the clock back to noon. */
  reset(): Promise<void>
  end(): Promise<void>
}

const SETTINGS: MonitoringSettings = {
  viewLateMarginMs: 300_000,
  webhook: undefined,
  logsRequests: true,
}
const POOL = { applicationName: 'instance', max: 4, statementTimeoutMs: 15_000, schemas: [] }

export async function monitoringWorld(): Promise<MonitoringWorld> {
  const { db, url: connectionString, drop } = await testDatabase()
  const { log, entries: logged } = testLog()
  const { clock, set } = testClock(NOON)
  const instances: { monitoring: Monitoring; pool: Db }[] = []
  const reset = async (): Promise<void> => {
    await Promise.all(instances.map(({ monitoring }) => monitoring.stop()))
    await Promise.all(instances.map(({ pool }) => pool.end()))
    instances.length = 0
    logged.length = 0
    set(NOON)
    await db.query('truncate view_state, cron_job, alert_incidents, system_logs, api_logs cascade')
  }
  return {
    db,
    logged,
    instance: (settings, domains = ['shop']) => {
      const pool = connect({ ...POOL, connectionString, log })
      const whole = { ...SETTINGS, ...settings }
      const monitoring = createMonitoring({ db: pool, domains, settings: whole, clock, log })
      instances.push({ monitoring, pool })
      return monitoring
    },
    setTime: set,
    view: (name) => makeView(db, name),
    failView: (name, at, error = 'column "x" does not exist') => failView(db, name, at, error),
    refreshView: (name, at) => refreshView(db, name, at),
    job: (name) => makeJob(db, name),
    runs: (name, status, times) => makeRuns(db, name, status, times),
    reset,
    end: async () => {
      await reset()
      await drop()
    },
  }
}

async function makeView(db: Db, name: string): Promise<void> {
  await db.query(
    `insert into view_state (view_name, domain, definition_hash, key_columns, target_lag_seconds, last_success_at,
                             last_duration_ms, row_count)
     values ($1, 'shop', 'hash', '{tenant_id}', 300, $2, 1, 1)`,
    [name, NOON],
  )
}

async function failView(db: Db, name: string, at: string, error: string): Promise<void> {
  await db.query(
    `update view_state
     set consecutive_failures = consecutive_failures + 1, last_failure_at = $2, last_error = $3
     where view_name = $1`,
    [name, at, error],
  )
}

async function refreshView(db: Db, name: string, at: string): Promise<void> {
  await db.query(
    'update view_state set consecutive_failures = 0, last_success_at = $2 where view_name = $1',
    [name, at],
  )
}

async function makeJob(db: Db, name: string): Promise<void> {
  await db.query(
    `insert into cron_job (name, schedule, function_name) values ($1, 'hourly', 'work')`,
    [name],
  )
}

async function makeRuns(
  db: Db,
  name: string,
  status: string,
  times: readonly string[],
): Promise<void> {
  await db.query(
    `insert into job_runs (cron_job_id, job_name, function_name, kind, slot, status, started_at,
                           finished_at, error_message, triggered_by)
     select id, name, 'work', 'cron', time, $2, time, time + interval '1 second', $2 || ' at ' || time, 'schedule'
     from cron_job, unnest($3::timestamptz[]) time where name = $1`,
    [name, status, times],
  )
}
