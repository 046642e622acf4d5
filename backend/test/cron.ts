// A scheduler over a test database, with a clock and executors that the test holds.
import { randomUUID } from 'node:crypto'
import { connect, type Db } from '../engine/db/index.ts'
import { createCron, type Cron } from '../engine/cron/index.ts'
import {
  createExecutors,
  type Executor,
  type Run,
  type RunContext,
  type RunOutcome,
} from '../engine/jobs/index.ts'
import { testDatabase } from './database.ts'
import { gate, type Gate } from './gate.ts'
import { type LogEntry, testLog } from './log.ts'

export const SUCCESS: RunOutcome = {
  status: 'success',
  message: 'done',
  processed: 0,
  succeeded: 0,
  failed: 0,
  details: {},
}

export type CronWorld = {
  db: Db
  /** Moves the clock of every instance. */
  setTime(time: string): void
  /** One more instance, with its own pool. Its executors are `note`, which keeps its contexts in `noted`, and those given. */
  instance(options?: InstanceOptions): Instance
  tenant(timezone: string, name?: string): Promise<string>
  noted: RunContext[]
  /** Stops the instances, empties the tables and sets the clock back to 10:00 on Saturday, 2026-01-10. */
  reset(): Promise<void>
  end(): Promise<void>
}

export type InstanceOptions = {
  executors?: Record<string, Executor>
  leaseMs?: number
  concurrency?: number
  drainMs?: number
}

export type Instance = {
  cron: Cron
  logged: LogEntry[]
  /** A tick, and everything that it starts. */
  tickAndWait(): Promise<void>
  /** The runs of all jobs, the oldest first. */
  runs(): Promise<Run[]>
}

export async function cronWorld(): Promise<CronWorld> {
  const { url, db, drop } = await testDatabase()
  const started: { cron: Cron; pool: Db }[] = []
  const noted: RunContext[] = []
  let now = new Date(START)
  const note: Executor = async (context) => {
    noted.push(context)
    return SUCCESS
  }
  return {
    db,
    noted,
    setTime: (time) => {
      now = new Date(time)
    },
    instance: ({ executors = {}, leaseMs = 600_000, concurrency = 4, drainMs = 8000 } = {}) => {
      const { log, entries } = testLog()
      const pool = connect({ ...POOL, connectionString: url, log })
      const cron = createCron({
        db: pool,
        executors: createExecutors(Object.entries({ note, ...executors })),
        clock: () => now,
        log,
        instanceId: randomUUID(),
        leaseMs,
        concurrency,
        drainMs,
      })
      started.push({ cron, pool })
      return instanceOf(cron, entries)
    },
    tenant: (timezone, name = timezone) => insertTenant(db, timezone, name),
    reset: async () => {
      await stopAll(started.splice(0))
      await db.query('delete from cron_job')
      await db.query('delete from job_runs')
      await db.query('delete from tenant')
      noted.length = 0
      now = new Date(START)
    },
    end: async () => {
      await stopAll(started)
      await drop()
    },
  }
}

const START = '2026-01-10T10:00:00Z'
const POOL = { applicationName: 'instance', max: 5, statementTimeoutMs: 15_000, schemas: [] }

async function stopAll(started: readonly { cron: Cron; pool: Db }[]): Promise<void> {
  await Promise.all(started.map(({ cron }) => cron.stop()))
  await Promise.all(started.map(({ pool }) => pool.end()))
}

function instanceOf(cron: Cron, logged: LogEntry[]): Instance {
  return {
    cron,
    logged,
    tickAndWait: async () => {
      await cron.tick()
      await cron.idle()
    },
    runs: async () => (await cron.runs.list({}, { page: 1, pageSize: 1000 })).runs.toReversed(),
  }
}

async function insertTenant(db: Db, timezone: string, name: string): Promise<string> {
  const rows = await db.query<{ id: string }>(
    'insert into tenant (name, timezone) values ($1, $2) returning id',
    [name, timezone],
  )
  return rows[0]?.id ?? ''
}

/** An executor that waits at a gate, and ends early when its signal is aborted. */
export function gated(): { executor: Executor; door: Gate } {
  const door = gate()
  const executor: Executor = async ({ signal }) => {
    const aborted = new Promise<void>((resolve) =>
      signal.addEventListener('abort', () => resolve()),
    )
    await Promise.race([door.pass(), aborted])
    signal.throwIfAborted()
    return SUCCESS
  }
  return { executor, door }
}
