import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, type JWK } from 'jose'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createAuthentication, mintToken, type Authenticate, type TokenOptions } from './token.ts'

const ISSUER = 'https://id.example.com'
const CLAIMS = { role: 'superadmin', sub: 'tester' }
const LET_IN = { kind: 'user', principal: { subject: 'tester', role: 'superadmin' } }
const REFUSED = { code: 'unauthorized', message: 'The token is not valid.' }

type Keys = Awaited<ReturnType<typeof generateKeyPair>>
type Provider = { server: Server; url: string; fetches: number; answer: string; status: number }

let rsa: Keys
let ec: Keys
let stranger: Keys
let keySet: string
let provider: Provider
let authenticate: Authenticate

beforeAll(async () => {
  rsa = await generateKeyPair('RS256')
  ec = await generateKeyPair('ES256')
  stranger = await generateKeyPair('RS256')
  keySet = JSON.stringify({ keys: [await published(rsa, 'rsa'), await published(ec, 'ec')] })
  provider = await startProvider()
})
beforeEach(() => {
  Object.assign(provider, { answer: keySet, status: 200, fetches: 0 })
  authenticate = authentication()
})
afterAll(() => void provider.server.close())

async function published({ publicKey }: Keys, kid: string): Promise<JWK> {
  return { ...(await exportJWK(publicKey)), kid }
}

async function startProvider(): Promise<Provider> {
  const started: Provider = { server: createServer(), url: '', fetches: 0, answer: '', status: 200 }
  started.server.on('request', (_request, response) => {
    started.fetches += 1
    response.writeHead(started.status).end(started.answer)
  })
  started.server.listen(0, '127.0.0.1')
  await once(started.server, 'listening')
  const address = started.server.address()
  started.url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/keys`
  return started
}

function authentication(options: Partial<TokenOptions> = {}): Authenticate {
  return createAuthentication({
    secret: 'a secret that is not used beside a key set',
    jwksUrl: provider.url,
    issuer: undefined,
    audience: undefined,
    cronSecret: undefined,
    refreshToken: undefined,
    ...options,
  })
}

type Signing = { alg?: string; kid?: string; key?: Keys['privateKey'] | Uint8Array }

async function bearer(claims: object, signing: Signing = {}): Promise<string> {
  const { alg = 'RS256', kid = 'rsa', key = rsa.privateKey } = signing
  const token = new SignJWT({ ...CLAIMS, ...claims }).setProtectedHeader({ alg, kid })
  return `Bearer ${await token.setExpirationTime('5m').sign(key)}`
}

test('a token signed with RS256 or ES256 by a published key is let in', async () => {
  expect(await authenticate(await bearer({}))).toMatchObject(LET_IN)
  const es256 = { alg: 'ES256', kid: 'ec', key: ec.privateKey }
  expect(await authenticate(await bearer({}, es256))).toMatchObject(LET_IN)
})

test('the keys are fetched once, not once per token', async () => {
  for (const sub of ['a', 'b', 'c']) await authenticate(await bearer({ sub }))
  expect(provider.fetches).toBe(1)
})

test('tokens with unknown keys do not make us ask the provider again and again', async () => {
  await authenticate(await bearer({}))
  for (const kid of ['x', 'y', 'z']) {
    await expect(authenticate(await bearer({}, { kid }))).rejects.toMatchObject(REFUSED)
  }
  expect(provider.fetches).toBe(1)
})

test('a token that names a published key but is signed with another is refused', async () => {
  const forged = await bearer({}, { key: stranger.privateKey })
  await expect(authenticate(forged)).rejects.toMatchObject(REFUSED)
})

test('HS256 is refused, with our secret and with the public key as the secret', async () => {
  const principal = { subject: 'x', role: 'superadmin', tenantId: null, teamIds: [] } as const
  const ours = await mintToken('a secret that is not used beside a key set', principal, 60)
  await expect(authenticate(`Bearer ${ours}`)).rejects.toMatchObject(REFUSED)
  const key = new TextEncoder().encode(await exportSPKI(rsa.publicKey))
  const confused = await bearer({}, { alg: 'HS256', key })
  await expect(authenticate(confused)).rejects.toMatchObject(REFUSED)
})

test('issuer and audience must be those that are configured', async () => {
  const strict = authentication({ issuer: ISSUER, audience: 'prewarm' })
  expect(await strict(await bearer({ iss: ISSUER, aud: 'prewarm' }))).toMatchObject(LET_IN)
  for (const claims of [{ iss: ISSUER }, { aud: 'prewarm' }, { iss: 'x', aud: 'prewarm' }]) {
    await expect(strict(await bearer(claims))).rejects.toMatchObject({ code: 'unauthorized' })
  }
})

test.each([
  ['answers 500', { status: 500 }],
  ['answers nonsense', { answer: 'no JSON' }],
  ['answers something else than keys', { answer: '{}' }],
])('a provider that %s makes no token bad: it is our trouble', async (_name, trouble) => {
  Object.assign(provider, trouble)
  await expect(authenticate(await bearer({}))).rejects.toMatchObject({ code: 'unavailable' })
  Object.assign(provider, { status: 200, answer: keySet })
  expect(await authenticate(await bearer({}))).toMatchObject(LET_IN)
})

test('a provider that cannot be reached is our trouble too', async () => {
  const nowhere = authentication({ jwksUrl: 'http://127.0.0.1:9/keys' })
  await expect(nowhere(await bearer({}))).rejects.toMatchObject({ code: 'unavailable' })
})
