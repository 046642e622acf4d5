import { createHmac } from 'node:crypto'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { HOUR, MINUTE } from '../engine/clock.ts'
import { TEST_SECRET } from '../test/app.ts'
import { BUNDLE, CRON_SECRET, httpWorld, problemOf, type HttpWorld } from '../test/http-world.ts'

let world: HttpWorld

beforeAll(async () => {
  world = await httpWorld({ settings: { localTrustMs: HOUR } })
})
afterEach(() => void vi.useRealTimers())
afterAll(() => world.stop())

const NOW = Math.floor(Date.now() / 1000)
const NOON = new Date('2026-01-10T12:00:00Z')
const UUID = '11111111-1111-4111-8111-111111111111'
const GOOD = { sub: 'tester', role: 'superadmin', exp: NOW + 600 }

type Signing = { header?: object; secret?: string; hash?: string }

function jwt(claims: object, signing: Signing = {}): string {
  const { header = { alg: 'HS256' }, secret = TEST_SECRET, hash = 'sha256' } = signing
  const content = `${encode(header)}.${encode(claims)}`
  return `${content}.${createHmac(hash, secret).update(content).digest('base64url')}`
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function withPayload(token: string, claims: object): string {
  const [header, , signature] = token.split('.')
  return `${header}.${encode(claims)}.${signature}`
}

const ask = (authorization: string | undefined) =>
  world.get('/api/reports', undefined, authorization === undefined ? {} : { authorization })

const refusal = {
  status: 401,
  code: 'unauthorized',
  field: 'authorization',
  message: expect.any(String),
}

test('a good token is let in', async () => {
  expect((await ask(`Bearer ${jwt(GOOD)}`)).status).toBe(200)
  expect((await ask(`bearer   ${jwt(GOOD)}`)).status).toBe(200)
})

test.each([
  ['nothing', undefined],
  ['an empty header', ''],
  ['a scheme alone', 'Bearer'],
  ['another scheme', `Basic ${jwt(GOOD)}`],
  ['a token without a scheme', jwt(GOOD)],
  ['two tokens', `Bearer ${jwt(GOOD)} ${jwt(GOOD)}`],
  ['a word', 'Bearer token'],
  ['two dots', 'Bearer ..'],
  ['the word undefined', 'undefined'],
  ['a very long word', `Bearer ${'x'.repeat(8000)}`],
])('%s in place of a token is refused', async (_name, authorization) => {
  expect(await problemOf(await ask(authorization))).toEqual(refusal)
})

test.each([
  ['with another secret', jwt(GOOD, { secret: 'some other secret that is long enough' })],
  ['with an empty secret', jwt(GOOD, { secret: '' })],
  ['with HS512', jwt(GOOD, { header: { alg: 'HS512' }, hash: 'sha512' })],
  ['with alg none', `${encode({ alg: 'none' })}.${encode(GOOD)}.`],
  ['with alg none and a signature', jwt(GOOD, { header: { alg: 'none' } })],
  ['with alg RS256 and the secret', jwt(GOOD, { header: { alg: 'RS256' } })],
  ['without a header', jwt(GOOD, { header: {} })],
  ['and has another payload', withPayload(jwt(GOOD), { ...GOOD, sub: 'someone else' })],
  [
    'with an unknown critical extension',
    jwt(GOOD, { header: { alg: 'HS256', crit: ['x'], x: 1 } }),
  ],
])('a token that is signed %s is refused', async (_name, token) => {
  expect(await problemOf(await ask(`Bearer ${token}`))).toEqual(refusal)
})

test.each([
  ['that has expired', { ...GOOD, exp: NOW - 1 }, 'has expired'],
  ['that is not good yet', { ...GOOD, nbf: NOW + 60 }, '"nbf"'],
  ['that never expires', { sub: 'x', role: 'superadmin' }, '"exp"'],
  ['whose end is a text', { ...GOOD, exp: String(NOW + 600) }, '"exp"'],
  ['without a role', { ...GOOD, role: undefined }, '"role"'],
  ['with an unknown role', { ...GOOD, role: 'root' }, '"role"'],
  ['with a list of roles', { ...GOOD, role: ['superadmin'] }, '"role"'],
  ['without a subject', { ...GOOD, sub: undefined }, '"sub"'],
  ['with an empty subject', { ...GOOD, sub: '' }, '"sub"'],
  ['whose subject holds a control character', { ...GOOD, sub: 'a\0b' }, '"sub"'],
  ['of an admin without a tenant', { ...GOOD, role: 'admin' }, '"tenant_id"'],
  ['of an admin with the tenant null', { ...GOOD, role: 'admin', tenant_id: null }, '"tenant_id"'],
  ['whose tenant is not a uuid', { ...GOOD, role: 'admin', tenant_id: '*' }, '"tenant_id"'],
  ['of a member without a tenant', { ...GOOD, sub: UUID, role: 'member' }, '"tenant_id"'],
  ['of a member who is not a uuid', { ...GOOD, role: 'member', tenant_id: UUID }, '"sub"'],
  ['whose team is not a uuid', { ...GOOD, team_ids: [':team=x'] }, '"team_ids.0"'],
])('a token %s is refused, and the answer says why', async (_name, claims, reason) => {
  expect(await problemOf(await ask(`Bearer ${jwt(claims)}`))).toEqual({
    ...refusal,
    message: expect.stringContaining(reason),
  })
})

test('a refusal names the scheme that is wanted', async () => {
  expect((await ask(undefined)).headers.get('www-authenticate')).toBe('Bearer')
})

test('no token of random bytes is let in or does harm', async () => {
  const random = Array.from({ length: 200 }, (_, i) => withPayload(jwt(GOOD), { ...GOOD, i }))
  const cut = Array.from({ length: 100 }, (_, i) => jwt(GOOD).slice(0, -1 - i))
  for (const token of [...random, ...cut]) {
    expect((await ask(`Bearer ${token}`)).status).toBe(401)
  }
})

test('a token that was let in is refused from the second on in which it expires', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOON })
  const token = await world.token({}, 60)
  expect((await ask(`Bearer ${token}`)).status).toBe(200)
  vi.setSystemTime(Date.now() + MINUTE)
  expect(await problemOf(await ask(`Bearer ${token}`))).toEqual({
    ...refusal,
    message: 'The token has expired.',
  })
})

test('a token that expires is refused on the hit path too, where its answer is known', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOON })
  const [shortLived, longLived] = [await world.token({}, 60), await world.token({}, 3600)]
  const path = `${BUNDLE}?tenant_id=${world.a.id}`
  for (const token of [shortLived, shortLived, longLived, longLived]) await world.get(path, token)
  expect((await world.get(path, shortLived)).headers.get('x-cache')).toBe('HIT')
  vi.setSystemTime(Date.now() + 2 * MINUTE)
  expect(await problemOf(await world.get(path, shortLived))).toEqual({
    ...refusal,
    message: 'The token has expired.',
  })
  expect((await world.get(path, longLived)).headers.get('x-cache')).toBe('HIT')
})

const run = (secret: string) => world.post('/api/cron/run', {}, secret)

test('the cron secret is a bearer secret that is compared as a whole', async () => {
  expect((await run(CRON_SECRET)).status).toBe(200)
  for (const wrong of ['', CRON_SECRET.slice(0, -1), `${CRON_SECRET}x`, 'undefined', 'null']) {
    expect((await run(wrong)).status).toBe(401)
  }
})
