// Two programs with different domains on one database, as two teams may have them.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Domain } from '../engine/domain.ts'
import { install } from '../engine/install.ts'
import { testApp, type TestApp } from './app.ts'
import { testDatabase, testLog, type TestDatabase } from './database.ts'
import { eventually } from './eventually.ts'
import { testFolder } from './folder.ts'
import { ledgerDomain } from './ledger-domain.ts'

const TENANT = 'aaaaaaaa-0000-4000-8000-000000000000'

let folders: { path: string; remove: () => Promise<void> }[]
let database: TestDatabase
let ledger: Domain
let other: Domain

beforeAll(async () => {
  folders = [await testFolder(), await testFolder()]
  ledger = await ledgerDomain(folders[0]?.path ?? '')
  // It reads tables of its own, and has no views.
  const whole = await ledgerDomain(folders[1]?.path ?? '')
  const { direct } = whole.reports
  other = { ...whole, name: 'other', views: {}, reports: direct ? { direct } : {} }
})
beforeEach(async () => {
  database = await testDatabase({ empty: true })
  await installProgram(ledger)
  await database.db.query("insert into tenant (id, name) values ($1, 'A tenant')", [TENANT])
})
afterEach(() => database.drop())
afterAll(async () => {
  for (const folder of folders) await folder.remove()
})

const installProgram = (...domains: Domain[]) => install(database.db, domains, testLog().log)
const programOf = (...domains: Domain[]): Promise<TestApp> =>
  testApp({ databaseUrl: database.url, domains })

test('the one that is installed last leaves the views, triggers and readers of the other one as they are', async () => {
  expect((await installProgram(other)).views).toEqual([])
  const program = await programOf(ledger)
  await program.engine.changes.drain()
  await database.db.query('insert into ledger.entries values (1, $1, 7)', [TENANT])
  await program.engine.changes.drain()
  await program.engine.views.tick()
  await eventually(async () =>
    expect(await database.db.query('select amount from ledger.totals')).toEqual([{ amount: '7' }]),
  )
  const dirty = await database.db.query<{ report: string }>('select report from dirty_entry')
  expect(dirty.map(({ report }) => report)).toContain('ledger:balance')
  await program.stop()
})

test('a domain that leaves a view out loses it, and what read it is forgotten', async () => {
  const { balance: _balance, ...reports } = ledger.reports
  const { grand: _grand, ...views } = ledger.views ?? {}
  expect((await installProgram({ ...ledger, reports, views })).views).toEqual(['dropped grand'])
  const readers = await database.db.query<{ reader: string }>(
    'select distinct reader from source_reader order by 1',
  )
  expect(readers.map(({ reader }) => reader)).toEqual(['ledger:direct', 'totals'])
})

test('each watches its own views: with those of the other one it does nothing, though they share a queue', async () => {
  await installProgram(other)
  await database.db.query("update view_state set last_success_at = now() - interval '1 day'")
  const [stranger, owner] = [await programOf(other), await programOf(ledger)]
  expect(await stranger.engine.monitoring.evaluate()).toEqual({ opened: [], resolved: [] })
  const { opened } = await owner.engine.monitoring.evaluate()
  expect(opened.map(({ subject }) => subject).toSorted()).toEqual(['grand', 'totals'])
  expect(await stranger.engine.monitoring.evaluate()).toEqual({ opened: [], resolved: [] })
  expect(await stranger.engine.views.check()).toEqual([])
  expect(await stranger.engine.views.refreshRequested('totals')).toMatchObject({
    status: 'skipped',
  })
  await owner.engine.views.refresh(['totals', 'grand'], { triggeredBy: 'a test' })
  expect((await stranger.engine.monitoring.evaluate()).resolved).toEqual([])
  expect((await owner.engine.monitoring.evaluate()).resolved).toHaveLength(2)
  await Promise.all([stranger.stop(), owner.stop()])
})
