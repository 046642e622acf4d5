import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { createDemoTenants, findTenant, listActiveTenants } from './index.ts'

const NOW = new Date('2026-03-10T12:00:00Z')
const NOBODY = '00000000-0000-4000-8000-000000000000'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
beforeEach(async () => {
  await database.db.query('delete from tenant')
})
afterAll(() => database.drop())

const insert = async (name: string, columns: { seen?: string; isActive?: boolean } = {}) => {
  const { seen = null, isActive = true } = columns
  const rows = await database.db.query<{ id: string }>(
    'insert into tenant (name, last_seen_at, is_active) values ($1, $2, $3) returning id',
    [name, seen, isActive],
  )
  return rows[0]?.id ?? ''
}

describe('active tenants', () => {
  test('come in the order in which they were here last', async () => {
    await insert('never')
    await insert('long ago', { seen: '2026-01-01' })
    await insert('just now', { seen: '2026-03-10' })
    await insert('gone', { seen: '2026-03-10', isActive: false })
    const names = (await listActiveTenants(database.db)).map(({ name }) => name)
    expect(names).toEqual(['just now', 'long ago', 'never'])
  })

  test('are found by their id, and no others', async () => {
    const id = await insert('here')
    const gone = await insert('gone', { isActive: false })
    expect(await findTenant(database.db, id)).toEqual({ id, name: 'here', timezone: 'UTC' })
    expect(await findTenant(database.db, gone)).toBeUndefined()
    expect(await findTenant(database.db, NOBODY)).toBeUndefined()
  })
})

test('a time zone that does not exist is refused', async () => {
  const wrong = database.db.query(
    "insert into tenant (name, timezone) values ('x', 'Mars/Olympus')",
  )
  await expect(wrong).rejects.toThrow('time zone "Mars/Olympus" not recognized')
})

describe('demo tenants', () => {
  test('are the same every time, and made once', async () => {
    const made = await createDemoTenants(database.db, { from: 1, to: 5, now: NOW })
    expect(made).toHaveLength(5)
    expect(await createDemoTenants(database.db, { from: 1, to: 6, now: NOW })).toHaveLength(1)
    await database.db.query('delete from tenant')
    expect(await createDemoTenants(database.db, { from: 1, to: 5, now: NOW })).toEqual(made)
  })

  test('are spread around the clock', async () => {
    await createDemoTenants(database.db, { from: 1, to: 24, now: NOW })
    const zones = new Set((await listActiveTenants(database.db)).map(({ timezone }) => timezone))
    expect(zones.size).toBe(12)
  })
})
