import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { databaseUrl } from '../../test/database-url.ts'
import { faultProxy } from '../../test/fault-proxy.ts'
import { testLog, type LogEntry } from '../../test/log.ts'
import { connect, isStatementError, type ConnectOptions, type Db } from './pool.ts'
import { eventually } from '../../test/eventually.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

const open = (changed: Partial<ConnectOptions> = {}): Db & { logged: LogEntry[] } => {
  const { log, entries } = testLog()
  const options = { applicationName: 'a pool', max: 2, statementTimeoutMs: 5000, schemas: [] }
  const db = connect({ connectionString: database.url, ...options, log, ...changed })
  return Object.assign(db, { logged: entries })
}
const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  )

describe('a pool', () => {
  test('finds the tables of all its schemas, speaks in UTC, and tells its name', async () => {
    const db = open({ schemas: ['crm'] })
    const [row] = await db.query(
      `select count(*) as leads, current_setting('timezone') as zone,
              current_setting('application_name') as name from leads`,
    )
    expect(row).toEqual({ leads: '0', zone: 'UTC', name: 'a pool' })
    await db.end()
  })

  test('counts its statements, those in transactions too', async () => {
    const db = open()
    await db.query('select 1')
    await db.transaction(async (tx) => tx.query('select 2'))
    expect(db.statements).toBe(2)
    await db.end()
  })

  test('keeps a statement on its connection when it is told to, and each text once', async () => {
    const db = open({ max: 1 })
    const ask = (text: string): Promise<unknown[]> => db.query(text, ['1'], { isKept: true })
    expect(await ask('select $1::text as a')).toEqual([{ a: '1' }])
    expect(await ask('select $1::text as a')).toEqual([{ a: '1' }])
    expect(await ask('select $1::text as b')).toEqual([{ b: '1' }])
    await db.query('select $1::text as c', ['1'])
    const kept = await db.query('select statement from pg_prepared_statements order by 1')
    expect(kept).toEqual([
      { statement: 'select $1::text as a' },
      { statement: 'select $1::text as b' },
    ])
    await db.end()
  })

  test('ends a statement that takes longer than its timeout', async () => {
    const db = open({ statementTimeoutMs: 50 })
    const error = await failureOf(db.query('select pg_sleep(60)'))
    expect(error).toMatchObject({ code: '57014' })
    expect(isStatementError(error)).toBe(true)
    expect(await db.query('select 1 as x')).toEqual([{ x: 1 }])
    await db.end()
  })

  test('outlives an idle connection that the server closes, and says so', async () => {
    const db = open({ applicationName: 'idle' })
    await db.query('select 1')
    await terminate('idle')
    await eventually(() =>
      expect(db.logged).toMatchObject([
        { level: 'warn', message: 'An idle database connection was lost.' },
      ]),
    )
    expect(await db.query('select 1 as x')).toEqual([{ x: 1 }])
    await db.end()
  })
})

describe('a transaction', () => {
  test('is undone when its work fails, and the connection is used again', async () => {
    const db = open({ max: 1 })
    const work = db.transaction(async (tx) => {
      await tx.query("insert into tenant (name) values ('undone')")
      throw new Error('no')
    })
    await expect(work).rejects.toThrow('no')
    expect(await db.query("select 1 from tenant where name = 'undone'")).toEqual([])
    await db.end()
  })

  test('whose connection is lost between two statements fails, and the process lives on', async () => {
    const db = open({ applicationName: 'in a transaction' })
    const work = db.transaction(async (tx) => {
      await tx.query('select 1')
      await terminate('in a transaction')
      await eventually(async () => expect(await backends('in a transaction')).toBe(0))
      await tx.query('select 2')
    })
    await expect(work).rejects.toThrow(/not queryable|terminat/)
    expect(await db.query('select 1 as x')).toEqual([{ x: 1 }])
    await db.end()
  })
})

describe('what went wrong', () => {
  test.each([
    ['select 1/0', true],
    ['select * from nowhere', true],
    ["select 'x'::uuid", true],
    ['select pg_terminate_backend(pg_backend_pid())', false],
  ])('with %j is the fault of the statement: %s', async (sql, isStatements) => {
    const db = open()
    expect(isStatementError(await failureOf(db.query(sql)))).toBe(isStatements)
    await db.end()
  })

  test.each([
    ['a database that does not exist', () => databaseUrl(database.url, 'nowhere')],
    ['a user that does not exist', () => withUser('nobody')],
    ['a server that is not there', () => 'postgres://127.0.0.1:1/x'],
  ])('with %s is not the fault of the statement', async (_what, urlOf) => {
    const db = open({ connectionString: urlOf() })
    const error = await failureOf(db.query('select 1'))
    expect(error).toBeInstanceOf(Error)
    expect(isStatementError(error)).toBe(false)
    await db.end()
  })

  test('with a server that says nothing any more is told in time', async () => {
    const { hostname, port } = new URL(database.url)
    const proxy = await faultProxy({ host: hostname, port: Number(port) })
    const db = open({ connectionString: proxy.through(database.url), statementTimeoutMs: 50 })
    await db.query('select 1')
    proxy.drop()
    const error = await failureOf(db.query('select 1'))
    expect(error).toBeInstanceOf(Error)
    expect(isStatementError(error)).toBe(false)
    await proxy.heal()
    expect(await db.query('select 1 as x')).toEqual([{ x: 1 }])
    await db.end()
    await proxy.stop()
  })
})

function withUser(name: string): string {
  const url = new URL(database.url)
  url.username = name
  return url.href
}

async function terminate(applicationName: string): Promise<void> {
  await database.db.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1',
    [applicationName],
  )
}

async function backends(applicationName: string): Promise<number> {
  const rows = await database.db.query(
    'select 1 from pg_stat_activity where application_name = $1',
    [applicationName],
  )
  return rows.length
}
