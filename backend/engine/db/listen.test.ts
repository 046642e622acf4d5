import { afterAll, beforeAll, expect, test } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { eventually } from '../../test/eventually.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

const listeners = (): Promise<{ pid: number }[]> =>
  database.db.query(
    `select pid from pg_stat_activity where datname = current_database() and application_name = 'test listener'`,
  )

test('whoever listens is called at once, at each notification, and again when the connection was lost', async () => {
  let calls = 0
  const listener = database.db.listen('news', () => (calls += 1))
  await eventually(() => expect(calls).toBe(1))
  await database.db.query('notify news')
  await eventually(() => expect(calls).toBe(2))
  await database.db.query('notify other_news')
  const [{ pid } = { pid: 0 }] = await listeners()
  await database.db.query('select pg_terminate_backend($1)', [pid])
  await eventually(() => expect(calls).toBe(3))
  await database.db.query('notify news')
  await eventually(() => expect(calls).toBe(4))
  await listener.stop()
  await eventually(async () => expect(await listeners()).toEqual([]))
})

test('one who stops before he could begin leaves no connection behind', async () => {
  const listener = database.db.listen('news', () => undefined)
  await listener.stop()
  await listener.stop()
  await eventually(async () => expect(await listeners()).toEqual([]))
})
