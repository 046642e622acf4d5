// Schedulers over a test database, with a clock and executors that the test holds.
import { randomUUID } from 'node:crypto'
import { createCron, type Cron } from '../engine/cron/index.ts'
import { connect, type Db } from '../engine/db/index.ts'
import {
  createExecutors,
  type Executor,
  type Run,
  type RunContext,
  type RunOutcome,
} from '../engine/jobs/index.ts'
import { testDatabase, type TestDatabase } from './database.ts'
import { gate, type Gate } from './gate.ts'
import { type LogEntry, testLog } from './log.ts'

const START = '2026-01-10T10:00:00Z'
const HOURLY_WORK = { name: 'Job', schedule: 'hourly', function_name: 'work' }
const POOL = { applicationName: 'instance', max: 5, statementTimeoutMs: 15_000, schemas: [] }

export const SUCCESS: RunOutcome = {
  status: 'success',
  message: 'done',
  processed: 0,
  succeeded: 0,
  failed: 0,
  details: {},
}

export type InstanceOptions = {
  executors?: Record<string, Executor>
  leaseMs?: number
  concurrency?: number
  drainMs?: number
}

export type Instance = {
  cron: Cron
  pool: Db
  logged: LogEntry[]
  /** A tick, and everything that it starts. */
  tickAndWait: () => Promise<void>
  /** The runs of all jobs, the oldest first. */
  runs: () => Promise<Run[]>
}

export type CronWorld = {
  db: Db
  /** The contexts in which the executor `note` was called. */
  noted: RunContext[]
  /** Moves the clock of every instance. */
  setTime(time: string): void
  /** One more instance, with its own pool. It has the executor `note` and those given. */
  instance(options?: InstanceOptions): Instance
  /** An instance whose job `Job` does the work, at 11:00, when the job is due. */
  due(work: Executor, settings?: object, options?: InstanceOptions): Promise<Instance>
  tenant(timezone: string): Promise<string>
  /** Stops the instances, empties the tables and sets the clock back to 10:00 on Saturday, 2026-01-10. */
  reset(): Promise<void>
  end(): Promise<void>
}

export async function cronWorld(): Promise<CronWorld> {
  const database = await testDatabase()
  const { db } = database
  const instances: Instance[] = []
  const noted: RunContext[] = []
  let now = new Date(START)
  const setTime = (time: string) => {
    now = new Date(time)
  }
  const note = noteIn(noted)
  const instance = ({ executors, ...options }: InstanceOptions = {}): Instance => {
    const named = { executors: { note, ...executors }, ...options }
    const created = startInstance(database, () => now, named)
    instances.push(created)
    return created
  }
  return {
    db,
    noted,
    setTime,
    instance,
    due: async (work, settings = {}, options = {}) => {
      const due = instance({ executors: { work }, ...options })
      await due.cron.jobs.create({ ...HOURLY_WORK, ...settings })
      setTime('2026-01-10T11:00:00Z')
      return due
    },
    tenant: (timezone) => insertTenant(db, timezone),
    reset: async () => {
      await stopAll(instances.splice(0))
      await empty(db)
      noted.length = 0
      setTime(START)
    },
    end: async () => {
      await stopAll(instances)
      await database.drop()
    },
  }
}

function startInstance(
  { url }: TestDatabase,
  clock: () => Date,
  { executors = {}, leaseMs = 600_000, concurrency = 4, drainMs = 8000 }: InstanceOptions,
): Instance {
  const { log, entries } = testLog()
  const pool = connect({ ...POOL, connectionString: url, log })
  const cron = createCron({
    db: pool,
    executors: createExecutors(Object.entries(executors)),
    clock,
    log,
    instanceId: randomUUID(),
    leaseMs,
    concurrency,
    drainMs,
  })
  return {
    cron,
    pool,
    logged: entries,
    tickAndWait: async () => {
      await cron.tick()
      await cron.idle()
    },
    runs: async () => (await cron.runs.list({}, { page: 1, pageSize: 1000 })).runs.toReversed(),
  }
}

async function stopAll(instances: readonly Instance[]): Promise<void> {
  await Promise.all(instances.map(({ cron }) => cron.stop()))
  await Promise.all(instances.map(({ pool }) => pool.end()))
}

async function empty(db: Db): Promise<void> {
  await db.query('delete from cron_job')
  await db.query('delete from job_runs')
  await db.query('delete from tenant')
}

async function insertTenant(db: Db, timezone: string): Promise<string> {
  const rows = await db.query<{ id: string }>(
    'insert into tenant (name, timezone) values ($1, $1) returning id',
    [timezone],
  )
  return rows[0]?.id ?? ''
}

function noteIn(noted: RunContext[]): Executor {
  return async (context) => {
    noted.push(context)
    return SUCCESS
  }
}

/** An executor that waits at a door, and ends early when its signal is aborted. */
export function gated(): { executor: Executor; door: Gate } {
  const door = gate()
  const executor: Executor = async ({ signal }) => {
    const aborted = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve())
    })
    await Promise.race([door.pass(), aborted])
    signal.throwIfAborted()
    return SUCCESS
  }
  return { executor, door }
}
