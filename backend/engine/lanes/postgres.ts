// The queue in PostgreSQL. All that BullMQ opens shares one small pool and one connection that listens.
import { PostgresConnection, PostgresQueueBackend, type PgPool, type PgQueryResult } from 'bullmq'
import { isStatementError } from '../db/index.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { ANSWER_MS, type LaneServer } from './server.ts'

const MAX_CONNECTIONS = 4

export async function openPostgresLanes(url: string, log: Log): Promise<LaneServer> {
  const connection = new SharedConnection({
    connectionString: url,
    application_name: 'prewarm lanes',
    max: MAX_CONNECTIONS,
    keepAlive: true,
    connectionTimeoutMillis: ANSWER_MS,
    statement_timeout: ANSWER_MS,
    query_timeout: ANSWER_MS,
  })
  nameTrouble(connection.pool, log)
  try {
    await connection.waitUntilReady()
  } catch (error) {
    await connection.end()
    throw error
  }
  return {
    factory: (name, options) => new PostgresQueueBackend(connection, name, options),
    // All workers hear of a job, so this is only for what was missed.
    lookSeconds: 15,
    close: () => connection.end(),
  }
}

/** Queue and worker close their connection when they end; this one outlives them. */
class SharedConnection extends PostgresConnection {
  override close(): Promise<void> {
    return Promise.resolve()
  }

  override disconnect(): Promise<void> {
    return Promise.resolve()
  }

  end(): Promise<void> {
    return super.close()
  }
}

/** BullMQ waits and tries again after errors that have this code; after any other it takes the job itself for the cause. */
class ServerAway extends Error {
  readonly code = 'ECONNREFUSED'
}

function nameTrouble(pool: PgPool, log: Log): void {
  const ask = pool.query.bind(pool)
  let isAway = false
  pool.query = async (text: string, values?: readonly unknown[]): Promise<PgQueryResult> => {
    try {
      const answer = await ask(text, values)
      if (isAway) log.info('The database of the lanes is back.')
      isAway = false
      return answer
    } catch (error) {
      if (isStatementError(error)) throw error
      if (!isAway) log.warn('The database of the lanes does not answer.', { error })
      isAway = true
      throw new ServerAway(messageOf(error), { cause: error })
    }
  }
}
