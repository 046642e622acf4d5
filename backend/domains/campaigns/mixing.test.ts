// Random workspaces with random rows, beside those of all earlier runs: every answer is what a plain computation over
// the workspace's own rows gives, alone and in a batch.
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { Aggregate, aggregateTexts } from './aggregates.ts'
import { naiveAggregate } from './naive-aggregate.ts'
import { refreshViews, workspaceWith } from './test-rows.ts'

const NOW = '2026-05-10T05:00:00.000Z'
const CAMPAIGNS = ['Spring', 'Fair', 'a "quoted" one: 50%']
const RUNS = 10

let database: TestDatabase

beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

// Few days and hours, so that many of them are at the borders of days and ranges.
const instant = fc
  .record({
    day: fc.constantFrom('2026-05-10', '2026-05-09', '2026-05-07', '2026-05-01', '2026-03-29'),
    hour: fc.constantFrom('00:00', '06:59', '07:00', '09:59', '10:00', '18:14', '18:15', '23:59'),
  })
  .map(({ day, hour }) => `${day}T${hour}:00.000Z`)

const event = fc.record({
  contact_email: fc.constantFrom('ada@x', 'Ada@x', 'bob@x', 'carl@x', 'dora@x'),
  campaign_name: fc.constantFrom('', ...CAMPAIGNS),
  event_type: fc.constantFrom(
    'sent',
    'sent',
    'sent',
    'delivered',
    'bounced',
    'replied',
    'opt_out',
    'opened',
    'clicked',
  ),
  event_ts: instant,
  step: fc.constantFrom(null, 1, 2, 4),
  email_number: fc.constantFrom(null, 1, 3),
  is_test: fc.constantFrom(null, false, true),
})
const usage = fc.record({
  provider: fc.constantFrom(null, '', 'openai', 'bedrock'),
  model: fc.constantFrom(null, 'gpt-4o', 'a:b:c', 'a:b'),
  tokens_in: fc.option(fc.nat(100_000)),
  tokens_out: fc.option(fc.nat(100_000)),
  cost_usd: fc.nat(5_000_000).map((micros) => (micros / 1e6).toFixed(6)),
  campaign_name: fc.constantFrom(null, '', ...CAMPAIGNS),
  created_at: instant,
})
const lead = fc.record({
  campaign_name: fc.constantFrom(null, ...CAMPAIGNS),
  is_test: fc.constantFrom(null, true, false),
})

const workspaces = fc.array(
  fc.record({
    timezone: fc.constantFrom('UTC', 'America/Los_Angeles', 'Asia/Kathmandu', 'Pacific/Kiritimati'),
    rows: fc.record({
      campaigns: fc.constantFrom([], [{ name: 'Fair' }, { name: 'Silent' }]),
      email_events: fc.array(event, { maxLength: 60, size: 'max' }),
      llm_usage: fc.array(usage, { maxLength: 30, size: 'max' }),
      leads: fc.array(lead, { maxLength: 8 }),
    }),
  }),
  { minLength: 1, maxLength: 3 },
)

const question = fc.record({
  now: fc.constant(NOW),
  start: fc.constantFrom('2026-05-01', '2026-05-07', '2026-05-09', '2026-04-02'),
  end: fc.constantFrom('2026-05-09', '2026-05-10', '2026-05-31'),
  campaign: fc.constantFrom('', '', 'Unknown', 'None', ...CAMPAIGNS),
  provider: fc.constantFrom('', '', 'openai', 'unknown', 'none'),
})

it('every workspace is answered from its own rows, the same alone and in a batch', async () => {
  const { db } = database
  const property = fc.asyncProperty(
    workspaces,
    fc.array(question, { minLength: 4, maxLength: 6 }),
    async (given, questions) => {
      const there = await Promise.all(
        given.map(({ rows, timezone }) => workspaceWith(db, rows, timezone)),
      )
      await refreshViews(db)
      for (const asked of questions) {
        const ids = there.map(({ id }) => id)
        const together = await aggregateTexts(db, ids, asked)
        expect(together.size).toBe(ids.length)
        for (const workspace of there) {
          const text = together.get(workspace.id) ?? ''
          expect(Aggregate.parse(JSON.parse(text))).toEqual(naiveAggregate(workspace, asked))
          const alone = await aggregateTexts(db, [workspace.id], asked)
          expect([...alone]).toEqual([[workspace.id, text]])
        }
      }
    },
  )
  await fc.assert(property, { numRuns: RUNS, endOnFailure: true })
}, 60_000)
