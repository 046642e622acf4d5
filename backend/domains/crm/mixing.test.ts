// Random tenants with random rows, beside those of all earlier runs: every answer is what a plain computation over
// the tenant's own rows gives, alone, in a batch, and merged.
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { bundlesOf, bundleTexts, type Question, type Variant } from './bundles.ts'
import { naiveBundle, type World } from './naive-bundle.ts'
import { tenantWith, type Rows, type Tables } from './test-rows.ts'

const NOW = '2026-05-10T05:00:00.000Z'
const ZONES = ['UTC', 'America/Los_Angeles', 'Asia/Kathmandu', 'Pacific/Kiritimati']
const PEOPLE = [1, 2, 3].map((n) => `10000000-0000-4000-8000-00000000000${n}`)
const TEAMS = [1, 2].map((n) => `20000000-0000-4000-8000-00000000000${n}`)
const RUNS = 25

let database: TestDatabase

beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

const maybe = (...words: string[]): fc.Arbitrary<string | null> => fc.constantFrom(null, ...words)

// Few instants, so that there are ties, and many of them near the borders of the last 30 days.
const instant = fc
  .record({
    day: fc.constantFrom(
      '2026-05-10',
      '2026-05-11',
      '2026-05-09',
      '2026-04-09',
      '2026-04-10',
      '2026-02-01',
    ),
    hour: fc.constantFrom('00:00', '06:59', '07:00', '09:59', '10:00', '18:14', '18:15', '23:59'),
  })
  .map(({ day, hour }) => `${day}T${hour}:00.000Z`)

const common = {
  is_test_data: fc.constantFrom(true, false, null),
  assigned_to: maybe(...PEOPLE),
  created_date: fc.option(instant),
  created_at: instant,
}
const owned = { ...common, assigned_to_team: maybe(...TEAMS) }
const amount = fc.option(fc.nat(10_000_000).map((number) => (number / 100).toFixed(2)))
const stage = maybe(
  'won',
  'Closed Won',
  'closed_lost',
  'LOST',
  'Proposal',
  'negotiation',
  'other',
  '',
)

const some = <Row>(row: { [Field in keyof Row]: fc.Arbitrary<Row[Field]> }, maxLength: number) =>
  fc.array(fc.record(row), { maxLength, size: 'max' })

const tables = fc.record({
  contacts: some(owned, 12),
  accounts: some(owned, 12),
  leads: some(
    {
      ...owned,
      status: maybe('new', 'Converted', 'LOST', ''),
      source: maybe('', ' ', 'web', 'x"y'),
    },
    90,
  ),
  opportunities: some(
    { ...owned, stage, amount, updated_at: instant, probability: fc.constant(50) },
    90,
  ),
  activities: some({ ...owned, subject: maybe('a', 'b\\"c') }, 25),
  bizdev_sources: some({ ...common, status: maybe('Promoted', 'promoted', 'Active') }, 12),
})
const tenants = fc.array(fc.record({ timezone: fc.constantFrom(...ZONES), rows: tables }), {
  minLength: 1,
  maxLength: 3,
})
const scope = fc.constantFrom<Partial<Question>>(
  {},
  { visibleTo: { userId: PEOPLE[0] ?? '', teamIds: TEAMS.slice(0, 1) } },
  { visibleTo: { userId: PEOPLE[1] ?? '', teamIds: [] }, teamId: TEAMS[1] ?? '' },
  { teamId: TEAMS[0] ?? '' },
  { assignedTo: PEOPLE[2] ?? '' },
)

async function worldOf(given: readonly { timezone: string; rows: Rows }[]): Promise<World> {
  const tenants = await Promise.all(
    given.map(({ rows, timezone }) => tenantWith(database.db, rows, timezone)),
  )
  const all = <Table extends keyof Tables>(table: Table): Tables[Table][number][] =>
    tenants.flatMap(({ rows }) => rows[table] as Tables[Table][number][])
  return {
    tenants,
    tables: {
      contacts: all('contacts'),
      accounts: all('accounts'),
      leads: all('leads'),
      opportunities: all('opportunities'),
      activities: all('activities'),
      bizdev_sources: all('bizdev_sources'),
    },
  }
}

it('every tenant is answered from its own rows, the same alone and in a batch', async () => {
  const property = fc.asyncProperty(tenants, scope, async (given, restriction) => {
    const world = await worldOf(given)
    const tenantIds = world.tenants.map(({ id }) => id)
    const question = { ...restriction, now: NOW }
    const together = await bundlesOf(database.db, { ...question, tenantIds })
    expect(together.size).toBe(2 * tenantIds.length)
    for (const id of tenantIds) {
      const alone = { ...question, tenantIds: [id] }
      for (const variant of ['true', 'false'] as const) {
        expect(together.get(`${id} ${variant}`)).toEqual(naiveBundle(world, alone, variant))
      }
    }
  })
  await fc.assert(property, { numRuns: RUNS })
})

it('tenants that are merged are answered from their rows together', async () => {
  const property = fc.asyncProperty(tenants, scope, async (given, restriction) => {
    const world = await worldOf(given)
    const tenantIds = world.tenants.map(({ id }) => id)
    const question = { ...restriction, now: NOW, tenantIds, merge: true }
    const merged = await bundlesOf(database.db, question)
    for (const variant of ['true', 'false'] as const) {
      expect(merged.get(`null ${variant}`)).toEqual(naiveBundle(world, question, variant))
    }
  })
  await fc.assert(property, { numRuns: RUNS })
})

it('an answer is the same text, whoever else and whatever else is asked for with it', async () => {
  const property = fc.asyncProperty(tenants, scope, async (given, restriction) => {
    const tenantIds = (await worldOf(given)).tenants.map(({ id }) => id)
    const question = { ...restriction, now: NOW }
    const together = await bundleTexts(database.db, { ...question, tenantIds })
    for (const [name, text] of together) {
      const [id = '', variant] = name.split(' ')
      const variants = [variant as Variant]
      const alone = await bundleTexts(database.db, { ...question, tenantIds: [id], variants })
      expect([...alone]).toEqual([[name, text]])
    }
  })
  await fc.assert(property, { numRuns: RUNS })
})
