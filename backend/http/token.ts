// Tokens are JWTs. Ours are signed with HS256 and the configured secret; an identity provider's are verified by its JWKS.
import { createHash, timingSafeEqual } from 'node:crypto'
import { createRemoteJWKSet, errors, jwtVerify, SignJWT, type JWTPayload } from 'jose'
import { LRUCache } from 'lru-cache'
import * as z from 'zod'
import { PrewarmError } from '../engine/errors.ts'
import type { Principal } from '../engine/tenancy/index.ts'

export type TokenOptions = {
  /** 32 bytes or more. */
  secret: string
  jwksUrl: string | undefined
  issuer: string | undefined
  audience: string | undefined
  /** What a platform's scheduler sends instead of a token. */
  cronSecret: string | undefined
  /** What may be sent as the header x-refresh-token to refresh views, and for nothing else. */
  refreshToken: string | undefined
}

/** A user with a token, or a platform's scheduler, which may run jobs and nothing else. */
export type Caller =
  | { kind: 'user'; principal: Principal; expiresAt: number }
  | { kind: 'scheduler' }

/** Resolves with the caller behind an `Authorization` header, or rejects with `unauthorized`. */
export type Authenticate = (authorization: string | undefined) => Promise<Caller>

const Uuid = z.guid().transform((id) => id.toLowerCase())

const Claims = z
  .object({
    sub: z.string().regex(/^\P{Cc}+$/u, 'must be a text without control characters'),
    role: z.enum(['superadmin', 'admin', 'member']),
    tenant_id: Uuid.nullish(),
    team_ids: z.array(Uuid).default([]),
    exp: z.number(),
  })
  .refine((claims) => claims.role === 'superadmin' || claims.tenant_id, {
    path: ['tenant_id'],
    message: 'is required for this role',
  })
  .refine((claims) => claims.role !== 'member' || z.guid().safeParse(claims.sub).success, {
    path: ['sub'],
    message: 'must be a uuid for members, whose records are found by it',
  })

const KNOWN_TOKENS = 10_000
const PUBLIC_KEY_ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA']

export function createAuthentication(options: TokenOptions): Authenticate {
  const verify = verifier(options)
  // A signature is checked once per token, not once per request.
  const known = new LRUCache<string, Caller & { kind: 'user' }>({ max: KNOWN_TOKENS })
  return async (authorization) => {
    const token = bearer(authorization)
    if (options.cronSecret && isSameSecret(token, options.cronSecret)) return { kind: 'scheduler' }
    const seen = known.get(token)
    if (seen && Date.now() < seen.expiresAt) return seen
    const caller = callerOf(await verify(token))
    known.set(token, caller)
    return caller
  }
}

function bearer(authorization: string | undefined): string {
  const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
  if (token) return token
  throw unauthorized('A token is required: Authorization: Bearer TOKEN.')
}

// Both sides are hashed, so that neither the length nor the content shows in the time it takes.
export function isSameSecret(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function verifier({
  secret,
  jwksUrl,
  issuer,
  audience,
}: TokenOptions): (token: string) => Promise<JWTPayload> {
  const claims = {
    ...(issuer ? { issuer } : {}),
    ...(audience ? { audience } : {}),
    requiredClaims: ['exp'],
  }
  const key = new TextEncoder().encode(secret)
  const jwks = jwksUrl ? createRemoteJWKSet(new URL(jwksUrl)) : undefined
  return async (token) => {
    try {
      const verified = jwks
        ? await jwtVerify(token, jwks, { ...claims, algorithms: PUBLIC_KEY_ALGORITHMS })
        : await jwtVerify(token, key, { ...claims, algorithms: ['HS256'] })
      return verified.payload
    } catch (error) {
      throw refusal(error)
    }
  }
}

// The key set could not be fetched or read. Of the token nothing is known then.
const PROVIDER_TROUBLE = new Set(['ERR_JOSE_GENERIC', 'ERR_JWKS_INVALID', 'ERR_JWKS_TIMEOUT'])

function refusal(error: unknown): PrewarmError {
  if (error instanceof errors.JWTExpired) return unauthorized('The token has expired.')
  if (error instanceof errors.JWTClaimValidationFailed) {
    return unauthorized(`The token's claim "${error.claim}" is missing or not as required.`)
  }
  if (error instanceof errors.JOSEError && !PROVIDER_TROUBLE.has(error.code)) {
    return unauthorized('The token is not valid.', error)
  }
  return new PrewarmError('unavailable', 'The keys of the identity provider cannot be had.', {
    cause: error,
  })
}

function callerOf(payload: JWTPayload): Caller & { kind: 'user' } {
  const parsed = Claims.safeParse(payload)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw unauthorized(`The token's claim "${issue?.path.join('.')}" is wrong: ${issue?.message}.`)
  }
  const { sub, role, tenant_id, team_ids, exp } = parsed.data
  const subject = role === 'member' ? sub.toLowerCase() : sub
  const principal = { subject, role, tenantId: tenant_id ?? null, teamIds: team_ids }
  return { kind: 'user', principal, expiresAt: exp * 1000 }
}

function unauthorized(message: string, cause?: unknown): PrewarmError {
  return new PrewarmError('unauthorized', message, { field: 'authorization', cause })
}

/** Signs a token with HS256. `lifetimeSeconds` from now. */
export function mintToken(
  secret: string,
  { subject, role, tenantId, teamIds }: Principal,
  lifetimeSeconds: number,
): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  return new SignJWT({ role, tenant_id: tenantId, team_ids: [...teamIds] })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(subject)
    .setIssuedAt(now)
    .setExpirationTime(now + lifetimeSeconds)
    .sign(new TextEncoder().encode(secret))
}
