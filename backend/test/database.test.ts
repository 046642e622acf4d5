import { afterAll, beforeAll, expect, test } from 'vitest'
import { testDatabase, type TestDatabase } from './database.ts'

let first: TestDatabase
let second: TestDatabase

beforeAll(async () => {
  ;[first, second] = await Promise.all([testDatabase(), testDatabase()])
})

afterAll(async () => {
  await Promise.all([first.drop(), second.drop()])
})

test('a test database has the tables of the engine', async () => {
  const rows = await first.db.query("select to_regclass('public.tenant') is not null as there")
  expect(rows).toEqual([{ there: true }])
})

test('what one test database holds, another does not', async () => {
  await first.db.query('create table only_here (id int)')
  const rows = await second.db.query("select to_regclass('public.only_here') is null as absent")
  expect(rows).toEqual([{ absent: true }])
})

test('an empty test database has no tables', async () => {
  const { db, drop } = await testDatabase({ empty: true })
  const rows = await db.query("select to_regclass('public.tenant') is null as absent").finally(drop)
  expect(rows).toEqual([{ absent: true }])
})
