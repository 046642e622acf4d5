import { afterAll, beforeAll, expect, it } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { bundleOf, bundleTexts } from './bundles.ts'
import { tenantWith } from './test-rows.ts'

const NOW = '2026-05-10T12:00:00.000Z'

let database: TestDatabase

beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

/** Ids whose order is that of their numbers. */
function id(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`
}

function minutesAgo(minutes: number): string {
  return new Date(Date.parse(NOW) - minutes * 60_000).toISOString()
}

function numbersTo(count: number): number[] {
  return Array.from({ length: count }, (_row, i) => i + 1)
}

it('the newest are listed first, 10 activities and 50 leads by creation, 50 opportunities by update', async () => {
  const rows = numbersTo(60).map((n) => ({ id: id(n), created_at: minutesAgo(60 - n) }))
  const opportunities = numbersTo(60).map((n) => ({
    id: id(n),
    created_at: minutesAgo(n),
    updated_at: minutesAgo(60 - n),
  }))
  const tenant = await tenantWith(database.db, { activities: rows, leads: rows, opportunities })
  const { lists } = await bundleOf(database.db, tenant.id, { now: NOW })
  const newest = numbersTo(60).toReversed().map(id)
  expect(lists['recentActivities']?.map((item) => item['id'])).toEqual(newest.slice(0, 10))
  expect(lists['recentLeads']?.map((item) => item['id'])).toEqual(newest.slice(0, 50))
  expect(lists['recentOpportunities']?.map((item) => item['id'])).toEqual(newest.slice(0, 50))
})

it('records of the same instant are listed by their ids', async () => {
  const numbers = [4, 2, 5, 1, 3]
  const tenant = await tenantWith(database.db, {
    leads: numbers.map((n) => ({ id: id(n), created_at: NOW })),
    activities: numbers.map((n) => ({ id: id(n), created_at: NOW })),
    opportunities: numbers.map((n) => ({ id: id(n), updated_at: NOW })),
  })
  const { lists } = await bundleOf(database.db, tenant.id, { now: NOW })
  for (const list of Object.values(lists)) {
    expect(list.map((item) => item['id'])).toEqual([1, 2, 3, 4, 5].map(id))
  }
})

it('real records are listed however many newer test records there are', async () => {
  const rows = numbersTo(150).map((n) => ({
    id: id(n),
    is_test_data: n <= 80,
    created_at: minutesAgo(n),
    updated_at: minutesAgo(n),
  }))
  const created = rows.map(({ updated_at: _unused, ...row }) => row)
  const tenant = await tenantWith(database.db, {
    leads: created,
    activities: created,
    opportunities: rows,
  })
  const all = await bundleOf(database.db, tenant.id, { now: NOW })
  const real = await bundleOf(database.db, tenant.id, { now: NOW, variant: 'false' })
  expect(all.lists['recentLeads']?.map((lead) => lead['id'])).toEqual(numbersTo(50).map(id))
  const expected = numbersTo(50).map((n) => id(n + 80))
  expect(real.lists['recentLeads']?.map((lead) => lead['id'])).toEqual(expected)
  expect(real.lists['recentOpportunities']?.map((item) => item['id'])).toEqual(expected)
  expect(real.lists['recentActivities']?.map((item) => item['id'])).toEqual(expected.slice(0, 10))
})

it('each list has exactly its fields', async () => {
  const common = { id: id(1), is_test_data: false, assigned_to: id(9), created_at: NOW }
  const person = {
    first_name: 'Ada',
    last_name: 'O\'"Neil\\',
    company: 'Größe & Söhne',
    email: null,
  }
  const tenant = await tenantWith(database.db, {
    activities: [{ ...common, type: 'call', subject: 'Hello', status: 'planned' }],
    leads: [{ ...common, ...person, phone: '1', status: 'new', source: 'web', created_date: NOW }],
    opportunities: [
      { ...common, name: 'Deal', amount: '12.50', stage: 'Won', probability: 40, updated_at: NOW },
    ],
  })
  const { lists } = await bundleOf(database.db, tenant.id, { now: NOW })
  const owner = { id: id(1), tenant_id: tenant.id, assigned_to: id(9) }
  const call = { type: 'call', subject: 'Hello', status: 'planned' }
  const lead = { ...person, phone: '1', status: 'new', source: 'web', is_test_data: false }
  const deal = { name: 'Deal', amount: 12.5, stage: 'Won', probability: 40, is_test_data: false }
  expect(lists).toEqual({
    recentActivities: [{ ...owner, ...call, created_at: NOW, created_date: null }],
    recentLeads: [{ ...owner, ...lead, created_at: NOW, created_date: NOW }],
    recentOpportunities: [{ ...owner, ...deal, updated_at: NOW }],
  })
})

it('two answers to the same question are the same text', async () => {
  const leads = numbersTo(60).map((n) => ({ source: `s${n % 7}`, created_at: NOW }))
  const tenant = await tenantWith(database.db, { leads })
  const question = { tenantIds: [tenant.id], now: NOW }
  const first = await bundleTexts(database.db, question)
  expect(await bundleTexts(database.db, { ...question, now: '2026-05-10T12:00:01Z' })).toEqual(
    first,
  )
})
