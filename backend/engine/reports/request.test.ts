import { beforeAll, expect, test } from 'vitest'
import { crm } from '../../domains/crm/index.ts'
import { GLOBAL, type Scope } from '../tenancy/index.ts'
import { loadCatalog, type InstalledReport } from './index.ts'
import { entryIdOf, wholeTenant } from './request.ts'

let report: InstalledReport
beforeAll(async () => {
  const [first] = (await loadCatalog([crm])).all
  if (!first) throw new Error('There is no report.')
  report = first
})

const keyOf = (restriction: Partial<Scope>, variant = 'true'): string =>
  entryIdOf({ report, scope: { ...wholeTenant('T'), ...restriction }, variant }).key
const member = (...teamIds: string[]) => ({ visibleTo: { userId: 'u', teamIds } })

test.each([
  [{}, 'dashboard:bundle:T:include=true'],
  [{ tenantId: GLOBAL }, 'dashboard:bundle:SUPERADMIN_GLOBAL:include=true'],
  [{ teamId: 'x' }, 'dashboard:bundle:T:include=true:team=x'],
  [{ assignedTo: 'e' }, 'dashboard:bundle:T:include=true:emp=e'],
  [{ teamId: 'x', assignedTo: 'e' }, 'dashboard:bundle:T:include=true:team=x:emp=e'],
  [member(), 'dashboard:bundle:T:include=true:user=u'],
  [member('b', 'a'), 'dashboard:bundle:T:include=true:user=u:teams=a_b'],
  [
    { ...member('a'), teamId: 'a', assignedTo: 'u' },
    'dashboard:bundle:T:include=true:user=u:teams=a:team=a:emp=u',
  ],
])('the key of the scope %j is %s', (restriction, key) => {
  expect(keyOf(restriction)).toBe(key)
})

test('each variant has a key of its own, and a report without has none of it', () => {
  expect(keyOf({}, 'false')).toBe('dashboard:bundle:T:include=false')
  const { variant: _variant, ...plain } = { ...report, key: 'crm:plain' }
  const id = entryIdOf({ report: plain, scope: wholeTenant('T'), variant: null })
  expect(id).toEqual({ key: 'crm:plain:T', tenant: 'T', report: 'crm:dashboard_bundle' })
})

test('no two scopes share a key', () => {
  const scopes = [
    {},
    { tenantId: GLOBAL },
    { teamId: 'u' },
    { assignedTo: 'u' },
    member(),
    member('u'),
    { ...member(), teamId: 'u' },
    { ...member(), assignedTo: 'u' },
    { ...member('u'), teamId: 'u' },
  ]
  expect(new Set(scopes.map((scope) => keyOf(scope))).size).toBe(scopes.length)
})

const withParams = (params: Record<string, string>): string =>
  entryIdOf({ report, scope: wholeTenant('T'), variant: 'true', params }).key

test.each([
  [{}, 'dashboard:bundle:T:include=true'],
  [{ page: '2', from: '2026-01-31' }, 'dashboard:bundle:T:include=true:?from=2026-01-31&page=2'],
  [{ search: 'a b\n*:ü' }, 'dashboard:bundle:T:include=true:?search=a+b%0A*%3A%C3%BC'],
])('the parameters %j make the key %s', (params, key) => {
  expect(withParams(params)).toBe(key)
})

test('the key of long parameters is short, and that of no others', () => {
  const long = withParams({ search: 'x'.repeat(10_000) })
  expect(long).toMatch(/^dashboard:bundle:T:include=true:#[\w-]{43}$/)
  expect(withParams({ search: 'x'.repeat(9999) })).not.toBe(long)
})

test('no value of a parameter can make the key of other parameters or of another scope', () => {
  const hash = withParams({ a: 'x'.repeat(1000) }).split('#')[1] ?? ''
  const params: Record<string, string>[] = [
    {},
    { a: '1' },
    { b: '1' },
    { a: '1', b: '1' },
    { a: '1&b=1' },
    { a: '1:b=1' },
    { a: '1', 'b=1': '' },
    { a: ':user=u' },
    { a: '1%26b=1' },
    { a: `#${hash}` },
    { team: 'x' },
    { user: 'u' },
    { a: 'x'.repeat(1000) },
    { '#': hash },
  ]
  const keys = params.map(withParams)
  const scopes = [keyOf({ teamId: 'x' }), keyOf(member()), keyOf({ assignedTo: 'u' })]
  expect(new Set([...keys, ...scopes]).size).toBe(keys.length + scopes.length)
})
