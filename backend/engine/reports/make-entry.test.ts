import { beforeAll, describe, expect, test } from 'vitest'
import { crm } from '../../domains/crm/index.ts'
import type { Entry } from '../cache/index.ts'
import { HOUR } from '../clock.ts'
import { GLOBAL, type Scope, type Tenant } from '../tenancy/index.ts'
import { loadCatalog, type InstalledReport } from './index.ts'
import { createEntryMaker } from './make-entry.ts'
import { wholeTenant } from './request.ts'

const NOW = new Date('2026-03-10T12:00:00Z')
const LIFETIME = 36 * HOUR
const LONG_AGO = new Date('2001-01-01T00:00:00Z')

let report: InstalledReport
beforeAll(async () => {
  const [first] = (await loadCatalog([crm])).all
  if (!first) throw new Error('There is no report.')
  report = first
})

const tenantIn = (timezone: string): Tenant => ({ id: timezone, name: timezone, timezone })

type Given = {
  data?: string
  scope?: Scope
  tenants?: Tenant[]
  freshMs?: number
  changesAt?: 'never' | 'local midnight'
  now?: Date
}

function make({
  data = '{"a":1}',
  scope = wholeTenant('t'),
  now = NOW,
  ...given
}: Given = {}): Entry {
  const {
    tenants = [tenantIn('UTC')],
    freshMs = 2 * LIFETIME,
    changesAt = 'local midnight',
  } = given
  const makeEntry = createEntryMaker({ lifetimeMs: LIFETIME, freshMs })
  const changed = { ...report, changesAt }
  const claim = { epochs: ['a', 'b', 'c'], version: 'v' } as const
  const waitsForView = false
  return makeEntry({ report: changed, scope, data, tenants, claim, waitsForView, now })
}
const etagOf = (given: Given): string => make(given).header.etag
const freshUntil = (given: Given): string => new Date(make(given).header.freshUntil).toISOString()

describe('the lifetime of an entry', () => {
  test('differs from the nominal one by up to a tenth, and from that of the next', () => {
    const lives = Array.from({ length: 500 }, () => make().header.expiresAt - NOW.getTime())
    expect(Math.min(...lives)).toBeGreaterThanOrEqual(LIFETIME * 0.9)
    expect(Math.max(...lives)).toBeLessThanOrEqual(LIFETIME * 1.1)
    expect(Math.max(...lives) - Math.min(...lives)).toBeGreaterThan(LIFETIME * 0.15)
  })

  test('is told as the nominal one, so that the bytes do not depend on chance', () => {
    const texts = new Set(Array.from({ length: 50 }, () => make().body.toString()))
    expect([...texts]).toEqual([
      '{"a":1,"meta":{"tenant_id":"t","generated_at":"2026-03-10T12:00:00.000Z",' +
        '"ttl_seconds":129600,"scope":"tenant"}}',
    ])
  })
})

describe('the horizon of an entry', () => {
  test('is the next midnight of its tenant', () => {
    expect(freshUntil({ tenants: [tenantIn('Asia/Tokyo')] })).toBe('2026-03-10T15:00:00.000Z')
  })

  test('is the first midnight among its tenants when it is about several', () => {
    const tenants = ['UTC', 'America/New_York', 'Asia/Kathmandu'].map(tenantIn)
    expect(freshUntil({ tenants })).toBe('2026-03-10T18:15:00.000Z')
  })

  test('is midnight in UTC when it is about nobody', () => {
    expect(freshUntil({ tenants: [] })).toBe('2026-03-11T00:00:00.000Z')
  })

  test('is the end of its life when the clock does not change the report', () => {
    const { header } = make({ changesAt: 'never' })
    expect(header.freshUntil).toBe(header.expiresAt)
  })

  test('is sooner when entries are to be fresh for less', () => {
    expect(freshUntil({ freshMs: HOUR })).toBe('2026-03-10T13:00:00.000Z')
  })

  test('is near in a zone that only PostgreSQL knows, which hinders nobody', () => {
    expect(freshUntil({ tenants: [tenantIn('FOO5')] })).toBe('2026-03-10T12:15:00.000Z')
  })
})

describe('the body of an entry', () => {
  test.each([
    ['{}', '{"meta":'],
    ['{ }', '{"meta":'],
    ['{"a":{"b":[]}}', '{"a":{"b":[]},"meta":'],
    ['{"a" : 1 }\n', '{"a" : 1,"meta":'],
  ])('is %s with meta as its last member', (data, begin) => {
    const text = make({ data }).body.toString()
    expect(text.startsWith(begin)).toBe(true)
    const members: object = JSON.parse(text)
    expect(Object.keys(members).at(-1)).toBe('meta')
  })

  test.each([
    ['tenant', {}],
    ['global', { tenantId: GLOBAL }],
    ['auto', { visibleTo: { userId: 'u', teamIds: [] } }],
    ['team', { visibleTo: { userId: 'u', teamIds: ['x'] }, teamId: 'x' }],
    ['employee', { teamId: 'x', assignedTo: 'u' }],
  ])('says that its scope is %s', (name, restriction) => {
    const scope = { ...wholeTenant('t'), ...restriction }
    expect(make({ scope }).body.toString()).toContain(`"scope":"${name}"`)
  })

  test('names no tenant when it is about all', () => {
    expect(make({ scope: wholeTenant(GLOBAL) }).body.toString()).toContain('"tenant_id":null')
  })
})

test('the etag moves with the data and not with the time', () => {
  expect(etagOf({ now: LONG_AGO })).toBe(etagOf({ now: NOW }))
  expect(etagOf({ data: '{"a":2}' })).not.toBe(etagOf({}))
})
