// The only pg import. A `Db` is a pool with one statement timeout; what needs another timeout gets another pool.
import { createHash } from 'node:crypto'
import { DatabaseError, Pool, type PoolClient, type QueryResultRow } from 'pg'
import type { Log } from '../log.ts'
import type { Service } from '../service.ts'
import { listen } from './listen.ts'

export type Row = QueryResultRow

export type Queryable = {
  /** Rows of one statement. Times out after the pool's `statementTimeoutMs`. */
  query<R extends Row>(
    text: string,
    values?: readonly unknown[],
    options?: QueryOptions,
  ): Promise<R[]>
}

export type QueryOptions = {
  /**
   * The connection keeps the statement, parsed, and its plan as soon as PostgreSQL finds that one for all values is no worse
   * than one for each. For texts of which there are few: a connection forgets none.
   */
  isKept?: boolean
}

export type Db = Queryable & {
  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T>
  /** On one connection without a transaction. It is closed afterwards, so that nothing that was set in it stays. */
  session<T>(work: (session: Queryable) => Promise<T>): Promise<T>
  /** Another pool to the same database, for what needs another timeout. It has an end of its own. */
  another(options: Pick<ConnectOptions, 'applicationName' | 'max' | 'statementTimeoutMs'>): Db
  /** Calls `onNotify` at each notification of the channel. Some may be lost, as `listen.ts` says. */
  listen(channel: string, onNotify: () => void): Service
  /** Statements sent since the start, for benchmarks and run summaries. */
  readonly statements: number
  end(): Promise<void>
}

export type ConnectOptions = {
  connectionString: string
  applicationName: string
  max: number
  statementTimeoutMs: number
  /** Listed after `public`, so that printed SQL finds the tables of every domain. */
  schemas: readonly string[]
  log: Log
}

// The server ends a statement after statement_timeout. The client gives up a little later, because a
// server that is cut off cannot say anything any more.
const CLIENT_GRACE_MS = 2000
const CONNECT_TIMEOUT_MS = 3000

export function connect(options: ConnectOptions): Db {
  const pool = new Pool({
    connectionString: options.connectionString,
    application_name: options.applicationName,
    max: options.max,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: options.statementTimeoutMs,
    query_timeout: options.statementTimeoutMs + CLIENT_GRACE_MS,
    options: `-c search_path=${['public', ...options.schemas].join(',')} -c timezone=UTC`,
  })
  // Without a listener an idle connection that the server closes would end the process.
  pool.on('error', (error) => {
    if (!pool.ending) options.log.warn('An idle database connection was lost.', { error })
  })
  return dbOf(pool, {
    another: (other) => connect({ ...options, ...other }),
    listen: (channel, onNotify) => listen(options, channel, onNotify),
  })
}

// SQLSTATE classes in which the server, not the statement, is the trouble: connection, authorization, a database that is not
// there, resources, shutdown.
const SERVER_TROUBLE = /^(08|28|3D|53|57P|58)/

/** Whether one statement failed (also: was too slow) on a server that is otherwise well. */
export function isStatementError(error: unknown): boolean {
  const code = error instanceof DatabaseError ? error.code : undefined
  return code !== undefined && !SERVER_TROUBLE.test(code)
}

const LOCK_NOT_AVAILABLE = '55P03'

/** Whether a lock was not given within `lock_timeout`. */
export function isLockTimeout(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === LOCK_NOT_AVAILABLE
}

function dbOf(pool: Pool, beside: Pick<Db, 'another' | 'listen'>): Db {
  let statements = 0
  const on = (client: Pool | PoolClient): Queryable => ({
    query: async <R extends Row>(
      text: string,
      values: readonly unknown[] = [],
      { isKept = false }: QueryOptions = {},
    ) => {
      statements += 1
      const name = isKept ? { name: nameOf(text) } : {}
      return (await client.query<R>({ ...name, text, values: [...values] })).rows
    },
  })
  return {
    ...on(pool),
    transaction: async (work) => inTransaction(pool, (client) => work(on(client))),
    session: async (work) => inSession(pool, (client) => work(on(client))),
    ...beside,
    get statements() {
      return statements
    },
    end: () => pool.end(),
  }
}

// One name for one text, whatever else the connection keeps. PostgreSQL cuts names after 63 characters.
function nameOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

async function inTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await checkOut(pool)
  let broken: unknown
  try {
    await client.query('begin')
    const result = await work(client)
    await client.query('commit')
    return result
  } catch (error) {
    await client.query('rollback').catch((rollbackError: unknown) => (broken = rollbackError))
    throw error
  } finally {
    checkIn(client, { isGood: broken === undefined })
  }
}

async function inSession<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await checkOut(pool)
  return work(client).finally(() => checkIn(client, { isGood: false }))
}

// A connection that is lost between two statements fails the next one; without a listener it would end the process.
async function checkOut(pool: Pool): Promise<PoolClient> {
  const client = await pool.connect()
  client.on('error', ignore)
  return client
}

function checkIn(client: PoolClient, { isGood }: { isGood: boolean }): void {
  client.off('error', ignore)
  client.release(!isGood)
}

function ignore(): void {}
