// Connections that a test holds open in the middle of a transaction.
import { connect, type Db } from '../engine/db/index.ts'
import { testLog } from './log.ts'

export type End = 'commit' | 'rollback' | 'kill'

export type Session = {
  begin(): Promise<void>
  /** In the transaction that was begun, or in one of its own. What fails ends the transaction. */
  run(sql: string, values?: readonly unknown[]): Promise<void>
  /** How the transaction ends, if one was begun. `kill`: the server loses the connection. */
  finish(end: End): Promise<void>
  close(): Promise<void>
}

export function session(url: string, killer: Db): Session {
  const { log } = testLog()
  const pool = { applicationName: 'session', max: 1, statementTimeoutMs: 5000, schemas: [], log }
  const db = connect({ connectionString: url, ...pool })
  let backend: number | undefined
  const finish = async (end: End): Promise<void> => {
    if (backend === undefined) return
    if (end === 'kill') await killer.query('select pg_terminate_backend($1, 5000)', [backend])
    else await db.query(end)
    backend = undefined
  }
  return {
    begin: async () => {
      if (backend !== undefined) return
      await db.query('begin')
      const [row] = await db.query<{ pid: number }>('select pg_backend_pid() as pid')
      backend = row?.pid
    },
    run: async (sql, values) => {
      await db.query(sql, values).catch(() => finish('rollback'))
    },
    finish,
    close: async () => {
      await finish('rollback')
      await db.end()
    },
  }
}
