// Connections that a test holds open in the middle of a transaction.
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, isLockTimeout, type Db } from '../engine/db/index.ts'
import { testLog } from './log.ts'

export type End = 'commit' | 'rollback' | 'kill'

export type Session = {
  begin(): Promise<void>
  /** In the transaction that was begun, or in one of its own. What waits too long for a lock ends the transaction. */
  run(sql: string, values?: readonly unknown[]): Promise<void>
  /** Begins it, and resolves when it has ended or waits for a lock. */
  start(sql: string, values?: readonly unknown[]): Promise<void>
  /** How the transaction ends, after what was started in it, if one was begun. `kill`: the server loses the connection. */
  finish(end: End): Promise<void>
  close(): Promise<void>
}

export function session(url: string, killer: Db): Session {
  const db = connection(url)
  let backend: number | undefined
  let started = Promise.resolve()
  const end = async (how: End): Promise<void> => {
    if (backend === undefined) return
    if (how === 'kill') await killer.query('select pg_terminate_backend($1, 5000)', [backend])
    else await db.query(how)
    backend = undefined
  }
  const run = async (sql: string, values?: readonly unknown[]): Promise<void> => {
    await db.query(sql, values).catch(async (error: unknown) => {
      if (!isLockTimeout(error)) throw error
      await end('rollback')
    })
  }
  const finish = async (how: End): Promise<void> => {
    await started
    await end(how)
  }
  return {
    begin: async () => {
      if (backend !== undefined) return
      await db.query('begin')
      const [row] = await db.query<{ pid: number }>('select pg_backend_pid() as pid')
      backend = row?.pid
    },
    run,
    start: async (sql, values) => {
      const work = { isOver: false }
      started = run(sql, values).finally(() => (work.isOver = true))
      while (!work.isOver && !(await isWaiting(killer, backend))) await sleep(1)
    },
    finish,
    close: async () => {
      await finish('rollback')
      await db.end()
    },
  }
}

function connection(connectionString: string): Db {
  const { log } = testLog()
  const pool = { applicationName: 'session', max: 1, statementTimeoutMs: 5000, schemas: [] }
  return connect({ connectionString, ...pool, log })
}

async function isWaiting(db: Db, backend: number | undefined): Promise<boolean> {
  const [row] = await db.query<{ is: boolean }>(
    'select exists (select from pg_locks where pid = $1 and not granted) as is',
    [backend],
  )
  return row?.is === true
}
