// The only reader of the environment. Every setting with its default and its unit; all problems are told at once.
import { resolve } from 'node:path'
import * as z from 'zod'
import { ROLES } from './engine/engine.ts'
import { PrewarmError } from './engine/errors.ts'
import { chooseHome } from './engine/servers/index.ts'
import { DAY, HOUR, SECOND } from './engine/clock.ts'

const ROOT = resolve(import.meta.dirname, '..')

// Timers count no further than this number of milliseconds.
const LONGEST_TIMER_MS = 2 ** 31 - 1
const YEAR_SECONDS = (365 * DAY) / SECOND

const number = (unit: string, min: number, max: number) =>
  z.coerce
    .number(`must be a number${unit}`)
    .min(min, `must be ${min} or more`)
    .max(max, `must be ${max} or less`)
const whole = (unit: string, min: number, max: number) =>
  number(unit, min, max).int(`must be a whole number${unit}`)
const seconds = (fallback: number, what: string, { min = 0.001, max = YEAR_SECONDS } = {}) =>
  number(' of seconds', min, max).default(fallback).describe(`${what} (seconds)`)
const milliseconds = (fallback: number, what: string, { min = 1, max = LONGEST_TIMER_MS } = {}) =>
  whole(' of milliseconds', min, max).default(fallback).describe(`${what} (milliseconds)`)
const count = (fallback: number, what: string) =>
  whole('', 1, Number.MAX_SAFE_INTEGER).default(fallback).describe(what)
const url = (protocol: RegExp, form: string, what: string) =>
  z
    .url({ protocol, error: `must be a URL of the form ${form}` })
    .optional()
    .describe(what)

/** A setting that is set to nothing counts as not set, as Compose does with `${NAME:-}`. */
const Settings = z.object({
  DATABASE_URL: url(
    /^postgres(ql)?$/,
    'postgres://user@host:5432/name',
    'Your PostgreSQL, 15 or later. Unless set, an embedded one is started',
  ),
  DATABASE_POOL: count(10, 'Connections to PostgreSQL for everything but reports'),
  REDIS_CACHE_URL: url(
    /^rediss?$/,
    'redis://host:6379',
    'Your Redis for the cache. Unless set, one from the PATH is started, else the cache lives in the process',
  ),
  REDIS_QUEUE_URL: url(
    /^rediss?$/,
    'redis://host:6379',
    'Your Redis for queued jobs, another one than for the cache, with the policy noeviction. Unless set, they lie in PostgreSQL',
  ),
  PREWARM_HOME: z
    .string()
    .default('.prewarm')
    .describe('Folder of the embedded servers and of generated secrets'),
  PREWARM_DOMAINS: z
    .string()
    .default('')
    .describe('Folders of further domains, separated by colons'),
  PREWARM_ROLES: z
    .string()
    .default(ROLES.join(','))
    .transform((text) => text.split(',').map((role) => role.trim()))
    .pipe(z.array(z.enum(ROLES, `must be some of ${ROLES.join(', ')}, separated by commas`)))
    .describe(
      'What this process does: scheduler runs what is due, worker does what is queued; api alone only answers requests, as all do',
    ),
  HOST: z.string().default('127.0.0.1').describe('Address to listen on'),
  PORT: whole('', 0, 65_535).default(4001).describe('Port to listen on; 0 takes a free one'),
  LOG_LEVEL: z
    .enum(['error', 'warn', 'info', 'debug'])
    .default('info')
    .describe('Least severe log lines to print'),
  LOG_FORMAT: z.enum(['text', 'json']).default('text').describe('Form of log lines'),
  JWT_SECRET: z
    .string()
    .min(32, 'must have 32 characters or more')
    .optional()
    .describe('Secret of HS256 tokens, 32 bytes or more. Unless set, one is generated and kept'),
  JWT_JWKS_URL: url(
    /^https?$/,
    'https://host/path',
    'Keys of RS256 or ES256 tokens of your identity provider, instead of a secret',
  ),
  JWT_ISSUER: z.string().optional().describe('Issuer that tokens must name'),
  JWT_AUDIENCE: z.string().optional().describe('Audience that tokens must name'),
  CRON_SECRET: z
    .string()
    .min(16, 'must have 16 characters or more')
    .regex(/^\S+$/, 'must not contain spaces')
    .optional()
    .describe('Bearer secret with which a platform scheduler may run jobs'),
  MATERIALIZED_VIEWS_REFRESH_TOKEN: z
    .string()
    .min(16, 'must have 16 characters or more')
    .regex(/^\S+$/, 'must not contain spaces')
    .optional()
    .describe('Secret with which views may be refreshed over HTTP, as the header x-refresh-token'),
  CACHE_HARD_TTL_SECONDS: seconds(
    (36 * HOUR) / SECOND,
    'Hard lifetime of entries, give or take a tenth',
  ),
  CACHE_FRESH_SECONDS: seconds(
    (36 * HOUR) / SECOND,
    'After this time an entry counts as stale: it is served, marked STALE, and renewed behind',
  ),
  CACHE_COMMAND_TIMEOUT_MS: milliseconds(
    250,
    'How long a reader waits for Redis before asking the database',
  ),
  CACHE_LOCAL_TRUST_MS: milliseconds(
    250,
    'How long an entry is served without asking Redis again',
    { min: 0, max: 500 },
  ),
  CACHE_LOCAL_MAX_MB: count(64, 'Memory for entries inside the process (MiB)'),
  CACHE_REDIS_MAX_MB: count(512, 'Memory of the Redis that is started from the PATH (MiB)'),
  CACHE_MEMORY_MAX_MB: count(512, 'Memory for the whole cache when there is no Redis (MiB)'),
  REPORT_TIMEOUT_MS: milliseconds(10_000, 'Longest time that one report statement may take'),
  REPORT_POOL: count(4, 'Connections to PostgreSQL for reports'),
  PREWARM_VIEWS: z
    .enum(['on', 'off'])
    .default('on')
    .describe(
      'With `off` reports are computed from the source tables in place of the views, which are kept refreshed all the same',
    ),
  WARM_BATCH_TENANTS: count(25, 'Tenants per statement when warming'),
  WARM_CONCURRENCY: count(2, 'Warming statements at the same time'),
  REWARM_SECONDS: seconds(
    2,
    'How often at most an entry is computed again because its data changed',
    { min: 0, max: HOUR / SECOND },
  ),
  LANE_CONCURRENCY: count(4, 'Jobs of the lanes at the same time'),
  CRON_CONCURRENCY: count(4, 'Cron jobs at the same time'),
  CRON_LEASE_SECONDS: seconds(
    30,
    'After this time without a sign of life another instance takes a run over',
    { min: 1, max: DAY / SECOND },
  ),
  RATE_LIMIT_PER_MINUTE: count(1200, 'Requests per minute and caller'),
  BODY_LIMIT_KB: count(100, 'Largest request body (KiB)'),
  API_LOG: z
    .enum(['on', 'off'])
    .default('on')
    .describe('Whether requests are written to the table api_logs'),
  ALERT_WEBHOOK_URL: url(
    /^https?$/,
    'https://host/path',
    'Who is notified of incidents, such as an incoming webhook of Slack',
  ),
  ALERT_WEBHOOK_SECRET: z
    .string()
    .min(16, 'must have 16 characters or more')
    .optional()
    .describe('Secret with which notifications are signed'),
  ALERT_VIEW_LATE_MARGIN_SECONDS: seconds(
    300,
    'How much older than its target a view may be before there is an incident',
    { min: 0 },
  ),
})

/** Every setting as documentation shows it; `fallback` is empty where unset means something of its own. */
export const settings = Object.entries(Settings.shape).map(([name, schema]) => ({
  name,
  fallback: String(schema.safeParse(undefined).data ?? ''),
  description: schema.description ?? '',
}))

export type Config = z.infer<typeof Settings> & { home: string }

/** Throws one `bad_configuration` that names every setting that is wrong. */
export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value?.trim() !== ''))
  const parsed = Settings.safeParse(given)
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
    throw new PrewarmError('bad_configuration', problems.join('\n'))
  }
  return { ...parsed.data, home: chooseHome(resolve(ROOT, parsed.data.PREWARM_HOME)) }
}
