// Planning the dashboard takes as long as computing it.
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { sqlFile } from '../../test/sql-file.ts'
import { refreshViews, workspaceWith } from './test-rows.ts'

const NOW = '2026-05-10T12:00:00Z'
const DAYS = 100
// PostgreSQL makes plans for five single askings before it compares them with one for all.
const ASKINGS = 8

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

it('the dashboard of one workspace is soon not planned any more', async () => {
  const { db } = database
  const times = Array.from({ length: DAYS }, (_, n) => ({
    event_ts: new Date(Date.parse(NOW) - n * 86_400_000).toISOString(),
  }))
  const workspaces = [
    await workspaceWith(db, { email_events: times, llm_usage: [{}], leads: [{}] }),
    await workspaceWith(db, { email_events: times }),
  ]
  await refreshViews(db)
  await db.query('analyze')
  const sql = await sqlFile(join(import.meta.dirname, 'reports/dashboard_aggregate.sql'))
  await db.transaction(async (tx) => {
    for (let n = 0; n < ASKINGS; n += 1) {
      const asked = { now: NOW, start: '', end: '', campaign: '', provider: '' }
      const tenant_ids = `{${workspaces[n % 2]?.id}}`
      const rows = await tx.query(sql.text, sql.bind({ ...asked, tenant_ids }), { isKept: true })
      expect(rows).toHaveLength(1)
    }
    const [kept] = await tx.query<{ generic_plans: string }>(
      'select generic_plans from pg_prepared_statements',
    )
    expect(Number(kept?.generic_plans)).toBe(ASKINGS - 5)
  })
})
