import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { crm } from '../../domains/crm/index.ts'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { compileSql } from '../db/index.ts'
import { compute, UNRESTRICTED, type Answer } from './compute.ts'
import { loadCatalog, type InstalledReport } from './index.ts'

const NOW = new Date('2026-03-10T12:00:00Z')
const tenants = [1, 2].map((n) => ({ id: randomUUID(), name: `Tenant ${n}`, timezone: 'UTC' }))
const ASKED = "unnest(:'tenant_ids'::uuid[]) asked (id), unnest(:'include_test_data'::text[]) v"
const EACH = `select id, v, '{}' from ${ASKED}`
const EACH_NAMED = `select id as tenant_id, v as include_test_data, '{}'::json as data from ${ASKED}`

let database: TestDatabase
let report: InstalledReport
beforeAll(async () => {
  database = await testDatabase()
  const [first] = (await loadCatalog([crm])).all
  if (!first) throw new Error('There is no report.')
  report = first
})
afterAll(() => database.drop())

const answers = (sql: string): Promise<Answer[]> => {
  const ask = { tenants, variants: ['true', 'false'], restriction: UNRESTRICTED, merge: false }
  return compute(database.db, { ...report, sql: compileSql(sql) }, { ...ask, now: NOW })
}

describe('the answers to a report', () => {
  test('are one for each tenant and variant', async () => {
    const found = await answers(EACH_NAMED)
    expect(found).toHaveLength(4)
    expect(found).toContainEqual({ tenantId: tenants[1]?.id, variant: 'false', data: '{}' })
  })

  test('are prepared for one tenant, and planned each time for several', async () => {
    const asked = { variants: ['true', 'false'], restriction: UNRESTRICTED, merge: false, now: NOW }
    await database.db.transaction(async (tx) => {
      const kept = (): Promise<unknown[]> => tx.query('select name from pg_prepared_statements')
      await compute(tx, { ...report, sql: compileSql(EACH_NAMED) }, { ...asked, tenants })
      expect(await kept()).toHaveLength(0)
      for (const tenant of tenants)
        await compute(
          tx,
          { ...report, sql: compileSql(EACH_NAMED) },
          { ...asked, tenants: [tenant] },
        )
      expect(await kept()).toHaveLength(1)
    })
  })

  test.each([
    ['leave out a tenant', 3, `select id, v, '{}' from ${ASKED} limit 3`],
    ['have one more', 5, `${EACH} union all select gen_random_uuid(), 'true', '{}'`],
    ['repeat one', 8, `${EACH} union all ${EACH}`],
    ['are about another tenant', 4, `select gen_random_uuid(), v, '{}' from ${ASKED}`],
    ['are empty', 4, `select id, v, null from ${ASKED}`],
    ['are no objects', 4, `select id, v, '[]' from ${ASKED}`],
  ])('that %s are an error', async (_what, count, sql) => {
    const named = `select * from (${sql}) a (tenant_id, include_test_data, data)`
    await expect(answers(named)).rejects.toMatchObject({
      code: 'report_failed',
      message: `The report crm:dashboard_bundle gave ${count} answers where 4 were asked for.`,
    })
  })

  test('are had also from SQL that ends in a semicolon and a comment', async () => {
    const sql = `select id as tenant_id, v as include_test_data, '{}' as data from ${ASKED}; -- all\n-- of it`
    expect(await answers(sql)).toHaveLength(4)
  })
})
