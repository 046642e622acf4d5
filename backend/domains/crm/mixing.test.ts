// Random tenants with random rows, beside those of all earlier runs: every answer is what a plain computation over
// the tenant's own rows gives, alone, in a batch, and merged.
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { bundlesOf, bundleTexts, type Question } from './bundles.ts'
import { naiveBundle, type World } from './naive-bundle.ts'
import { tenantWith, type Rows } from './test-rows.ts'

const NOW = '2026-05-10T05:00:00.000Z'
const ZONES = ['UTC', 'America/Los_Angeles', 'Asia/Kathmandu', 'Pacific/Kiritimati']
const PEOPLE = [1, 2, 3].map((n) => `10000000-0000-4000-8000-00000000000${n}`)
const TEAMS = [1, 2].map((n) => `20000000-0000-4000-8000-00000000000${n}`)
const VARIANTS = ['true', 'false'] as const
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

const some = <Row>(
  row: { [Field in keyof Row]: fc.Arbitrary<Row[Field]> },
  maxLength: number,
  minLength = 0,
) => fc.array(fc.record(row), { minLength, maxLength, size: 'max' })

const lead = {
  ...owned,
  status: maybe('new', 'Converted', 'LOST', ''),
  source: maybe('', ' ', 'web', 'x"y'),
}
const opportunity = { ...owned, stage, amount, updated_at: instant, probability: fc.constant(50) }
const activity = { ...owned, subject: maybe('a', 'b\\"c') }
const source = { ...common, status: maybe('Promoted', 'promoted', 'Active') }

const zone = fc.constantFrom(...ZONES)
const someRows = fc.record({
  contacts: some(owned, 12),
  accounts: some(owned, 12),
  leads: some(lead, 90),
  opportunities: some(opportunity, 90),
  activities: some(activity, 25),
  bizdev_sources: some(source, 12),
})
const someTenants = fc.array(fc.record({ timezone: zone, rows: someRows }), {
  minLength: 1,
  maxLength: 3,
})

// More tenants than a list is long, with fewer rows than it is long.
const fewRows = fc.record({
  leads: some(lead, 8, 4),
  opportunities: some(opportunity, 8, 4),
  activities: some(activity, 4, 1),
})
const manyTenants = fc.array(fc.record({ timezone: zone, rows: fewRows }), {
  minLength: 58,
  maxLength: 64,
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
  const rows = tenants.map((tenant) => tenant.rows)
  return {
    tenants,
    tables: {
      contacts: rows.flatMap((its) => its.contacts),
      accounts: rows.flatMap((its) => its.accounts),
      leads: rows.flatMap((its) => its.leads),
      opportunities: rows.flatMap((its) => its.opportunities),
      activities: rows.flatMap((its) => its.activities),
      bizdev_sources: rows.flatMap((its) => its.bizdev_sources),
    },
  }
}

it('every tenant is answered from its own rows, the same alone and in a batch', async () => {
  const property = fc.asyncProperty(someTenants, scope, async (given, restriction) => {
    const world = await worldOf(given)
    const tenantIds = world.tenants.map(({ id }) => id)
    const question = { ...restriction, now: NOW }
    const together = await bundlesOf(database.db, { ...question, tenantIds })
    expect(together.size).toBe(2 * tenantIds.length)
    for (const id of tenantIds) {
      const alone = { ...question, tenantIds: [id] }
      for (const variant of VARIANTS) {
        expect(together.get(`${id} ${variant}`)).toEqual(naiveBundle(world, alone, variant))
      }
    }
  })
  await fc.assert(property, { numRuns: RUNS })
})

async function merged(world: World, restriction: Partial<Question>) {
  const tenantIds = world.tenants.map(({ id }) => id)
  const question = { ...restriction, now: NOW, tenantIds, merge: true }
  const answers = await bundlesOf(database.db, question)
  const plain = VARIANTS.map((variant) => naiveBundle(world, question, variant))
  return { answers: VARIANTS.map((variant) => answers.get(`null ${variant}`)), plain }
}

it('tenants that are merged are answered from their rows together', async () => {
  const property = fc.asyncProperty(someTenants, scope, async (given, restriction) => {
    const { answers, plain } = await merged(await worldOf(given), restriction)
    expect(answers).toEqual(plain)
  })
  await fc.assert(property, { numRuns: RUNS })
})

it('many small tenants that are merged fill the lists with the newest records of all', async () => {
  const property = fc.asyncProperty(manyTenants, async (given) => {
    const { answers, plain } = await merged(await worldOf(given), {})
    expect(answers).toEqual(plain)
  })
  await fc.assert(property, { numRuns: 5, endOnFailure: true })
})

it('an answer is the same text, whoever else and whatever else is asked for with it', async () => {
  const property = fc.asyncProperty(someTenants, scope, async (given, restriction) => {
    const tenantIds = (await worldOf(given)).tenants.map(({ id }) => id)
    const question = { ...restriction, now: NOW }
    const together = await bundleTexts(database.db, { ...question, tenantIds })
    for (const id of tenantIds) {
      for (const variant of VARIANTS) {
        const alone = { ...question, tenantIds: [id], variants: [variant] }
        const name = `${id} ${variant}`
        expect([...(await bundleTexts(database.db, alone))]).toEqual([[name, together.get(name)]])
      }
    }
  })
  await fc.assert(property, { numRuns: RUNS })
})
