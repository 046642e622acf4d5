import { expect, test } from 'vitest'
import { readConfig, settings } from './config.ts'
import { PrewarmError } from './engine/errors.ts'

/** The lines of the refusal; none if the settings are taken. */
function problemsOf(env: Record<string, string>): string[] {
  try {
    readConfig(env)
    return []
  } catch (error) {
    if (error instanceof PrewarmError && error.code === 'bad_configuration') {
      return error.message.split('\n')
    }
    throw error
  }
}

const GOOD: [name: string, value: string][] = [
  ['DATABASE_URL', 'postgres://user@host/name'],
  ['DATABASE_URL', 'postgresql://user:p%40ss%2Fw@host:5432/name?sslmode=require'],
  ['REDIS_CACHE_URL', 'rediss://:secret@host:6380/1'],
  ['JWT_JWKS_URL', 'https://id.example.com/.well-known/jwks.json'],
  ['JWT_SECRET', 'x'.repeat(32)],
  ['CRON_SECRET', 'x'.repeat(16)],
  ['MATERIALIZED_VIEWS_REFRESH_TOKEN', 'x'.repeat(16)],
  ['PREWARM_VIEWS', 'off'],
  ['PORT', '0'],
  ['PORT', '65535'],
  ['LOG_FORMAT', 'json'],
  ['LOG_LEVEL', 'debug'],
  ['CACHE_LOCAL_TRUST_MS', '0'],
  ['CACHE_HARD_TTL_SECONDS', '0.5'],
  ['CRON_LEASE_SECONDS', '1'],
]

const BAD: [name: string, value: string, complaint: string][] = [
  ['DATABASE_URL', 'localhost:5432', 'must be a URL of the form postgres://'],
  ['DATABASE_URL', 'mysql://host/name', 'must be a URL of the form postgres://'],
  ['DATABASE_POOL', '0', 'must be 1 or more'],
  ['DATABASE_POOL', '2.5', 'must be a whole number'],
  ['REDIS_CACHE_URL', 'http://host', 'must be a URL of the form redis://'],
  ['PORT', 'http', 'must be a number'],
  ['PORT', '65536', 'must be 65535 or less'],
  ['PORT', '-1', 'must be 0 or more'],
  ['LOG_LEVEL', 'loud', '"warn"'],
  ['LOG_FORMAT', 'xml', '"json"'],
  ['JWT_SECRET', 'short', 'must have 32 characters or more'],
  ['JWT_JWKS_URL', 'file:///keys', 'must be a URL of the form https://'],
  ['CRON_SECRET', 'short', 'must have 16 characters or more'],
  ['MATERIALIZED_VIEWS_REFRESH_TOKEN', 'short', 'must have 16 characters or more'],
  ['MATERIALIZED_VIEWS_REFRESH_TOKEN', 'x'.repeat(16) + ' ', 'must not contain spaces'],
  ['PREWARM_VIEWS', 'no', 'Invalid option'],
  ['CRON_SECRET', 'a secret with spaces in it', 'must not contain spaces'],
  ['CACHE_HARD_TTL_SECONDS', 'long', 'must be a number of seconds'],
  ['CACHE_HARD_TTL_SECONDS', '0', 'must be 0.001 or more'],
  ['CACHE_HARD_TTL_SECONDS', 'Infinity', 'must be a number of seconds'],
  ['CACHE_HARD_TTL_SECONDS', '1e300', 'must be 31536000 or less'],
  ['CACHE_COMMAND_TIMEOUT_MS', '-5', 'must be 1 or more'],
  ['CACHE_COMMAND_TIMEOUT_MS', '1.5', 'must be a whole number of milliseconds'],
  ['CACHE_LOCAL_TRUST_MS', '501', 'must be 500 or less'],
  ['CACHE_LOCAL_TRUST_MS', 'x', 'must be a number of milliseconds'],
  ['REPORT_TIMEOUT_MS', '99999999999', 'must be 2147483647 or less'],
  ['CRON_LEASE_SECONDS', '3000000', 'must be 86400 or less'],
  ['CRON_LEASE_SECONDS', '0.001', 'must be 1 or more'],
  ['RATE_LIMIT_PER_MINUTE', '0', 'must be 1 or more'],
  ['BODY_LIMIT_KB', 'many', 'must be a number'],
]

test('every setting says what it is, and how it is if nobody sets it', () => {
  for (const { name, description, fallback } of settings) {
    expect(name).toMatch(/^[A-Z][A-Z0-9_]+$/)
    expect(description.length).toBeGreaterThan(10)
    expect(typeof fallback).toBe('string')
  }
})

test('what the documentation says of a setting that is not set is what is then in force', () => {
  const given = settings.filter(({ fallback }) => fallback !== '')
  const explicit = Object.fromEntries(given.map(({ name, fallback }) => [name, fallback]))
  expect(given.length).toBeGreaterThan(10)
  expect(readConfig(explicit)).toEqual(readConfig({}))
})

test.each(GOOD)('%s takes %j', (name, value) => {
  expect(problemsOf({ [name]: value })).toEqual([])
})

test.each(BAD)('%s does not take %j', (name, value, complaint) => {
  const problems = problemsOf({ [name]: value })
  expect(problems).toHaveLength(1)
  expect(problems[0]).toMatch(new RegExp(`^${name}: `))
  expect(problems[0]).toContain(complaint)
})

test('every setting that can be wrong has an example of it here', () => {
  const anything = new Set([
    'HOST',
    'PREWARM_HOME',
    'PREWARM_DOMAINS',
    'JWT_ISSUER',
    'JWT_AUDIENCE',
  ])
  for (const { name } of settings) {
    expect([name, problemsOf({ [name]: '\u0000' }).length]).toEqual([
      name,
      anything.has(name) ? 0 : 1,
    ])
  }
})

test('all problems are told at once', () => {
  const problems = problemsOf({
    PORT: 'x',
    JWT_SECRET: 'x',
    DATABASE_URL: 'x',
    BODY_LIMIT_KB: '-1',
  })
  const named = new Set(problems.map((line) => line.split(':')[0]))
  expect(named).toEqual(new Set(['BODY_LIMIT_KB', 'DATABASE_URL', 'JWT_SECRET', 'PORT']))
})

test('a refusal does not repeat what was set, which may be secret', () => {
  const secret = 'hunter2'
  const problems = problemsOf({
    JWT_SECRET: secret,
    CRON_SECRET: `${secret} ${secret} ${secret}`,
    DATABASE_URL: `mysql://user:${secret}@host/name`,
  })
  expect(problems).toHaveLength(3)
  expect(problems.join('\n')).not.toContain(secret)
})

test('a setting that is set to nothing, or to spaces, counts as not set', () => {
  const nothing = readConfig({})
  expect(readConfig(Object.fromEntries(settings.map(({ name }) => [name, ''])))).toEqual(nothing)
  expect(readConfig(Object.fromEntries(settings.map(({ name }) => [name, ' '])))).toEqual(nothing)
})

test('what is not a setting is left alone', () => {
  expect(readConfig({ HOME: '/root', PREWARM_UNKNOWN: 'x' })).toEqual(readConfig({}))
})
