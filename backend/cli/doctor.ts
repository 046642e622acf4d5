// Whether what the configuration points to is as it must be: every problem at once, in sentences.
import { messageOf, PrewarmError } from '../engine/errors.ts'
import { notInstalled } from '../engine/install.ts'
import { checkLifetime } from '../engine/lifetime.ts'
import type { AddCommand } from './command.ts'
import { withEngine, type Context, type Opened } from './context.ts'
import { print, printJson } from './output.ts'

type Flags = { json?: boolean }
type Finding = { check: string; ok: boolean; detail: string }
/** Resolves with what was found good, or rejects with what is wrong. */
type Check = (opened: Opened) => Promise<string>

export const addDoctor: AddCommand = (program, run) => {
  program
    .command('doctor')
    .description(
      'check the settings, the database, the cache, the lanes, the reports and the cron jobs',
    )
    .option('--json', 'print JSON')
    .action((flags: Flags) => run((context) => doctor(context, flags)))
}

function doctor(context: Context, { json }: Flags): Promise<number> {
  const work = async (opened: Opened): Promise<number> => {
    const findings: Finding[] = [{ check: 'settings', ok: true, detail: 'all are well-formed' }]
    for (const [name, check] of Object.entries(CHECKS))
      findings.push(await find(name, check, opened))
    if (json) printJson({ ok: findings.every(({ ok }) => ok), findings })
    for (const { check, ok, detail } of json ? [] : findings)
      print(`${ok ? 'ok     ' : 'PROBLEM'} ${check}: ${detail}`)
    return findings.every(({ ok }) => ok) ? 0 : 1
  }
  return withEngine(context, work, 'nothing')
}

async function find(check: string, examine: Check, opened: Opened): Promise<Finding> {
  try {
    return { check, ok: true, detail: await examine(opened) }
  } catch (error) {
    return { check, ok: false, detail: messageOf(error) }
  }
}

const OLDEST_POSTGRES = 150_000

const CHECKS: Record<string, Check> = {
  tokens: async ({ config }) => {
    if (config.JWT_JWKS_URL) return `verified with the keys of ${config.JWT_JWKS_URL}`
    if (config.JWT_SECRET) return 'signed with JWT_SECRET'
    return `signed with a secret generated in ${config.home}; set JWT_SECRET to share one among machines`
  },
  database: async ({ resources }) => {
    const sql =
      "select current_setting('server_version_num')::int as number, current_setting('server_version') as name"
    const [version] = await resources.db.query<{ number: number; name: string }>(sql)
    if ((version?.number ?? 0) >= OLDEST_POSTGRES)
      return `PostgreSQL ${version?.name}, ${resources.places.database}`
    throw problem(`PostgreSQL ${version?.name} is too old; 15 is the oldest that will do.`)
  },
  migrations: async ({ resources, domains }) => {
    const pending = await notInstalled(resources.db, domains)
    if (pending.length === 0) return 'all are applied'
    throw problem(`not applied: ${pending.join(', ')}; run "prewarm migrate".`)
  },
  cache: async ({ resources }) => {
    const milliseconds = await resources.store.ping()
    return `${resources.places.cache}, answers in ${milliseconds.toFixed(1)} ms`
  },
  lanes: async ({ engine, resources }) => {
    const where = resources.queue.kind === 'redis' ? 'the Redis of REDIS_QUEUE_URL' : 'PostgreSQL'
    const lanes = await engine.lanes.counts().catch((error: unknown) => {
      throw problem(`${where}: ${messageOf(error)}`)
    })
    const waiting = Object.values(lanes).reduce((sum, lane) => sum + lane.waiting, 0)
    return `kept in ${where}, ${waiting} ${waiting === 1 ? 'job waits' : 'jobs wait'}`
  },
  reports: async ({ engine }) => {
    const { all } = engine.reports.catalog
    for (const report of all) {
      await engine.reports.check(report).catch((error: unknown) => {
        throw problem(`the SQL of ${report.id} does not run: ${messageOf(error)}`)
      })
    }
    return `the SQL of ${all.map(({ id }) => id).join(', ')} runs`
  },
  views: async ({ engine }) => {
    const problems = await engine.views.check()
    if (problems.length === 0) return `${engine.views.catalog.all.length}, all can be refreshed`
    throw problem(problems.map(({ view, message }) => `${view}: ${message}`).join(' '))
  },
  'cron jobs': async ({ engine }) => {
    const jobs = await engine.cron.jobs.list({})
    const broken = jobs.filter((job) => !job.is_active && job.paused_reason)
    if (broken.length === 0) return `${jobs.length}, none paused`
    throw problem(broken.map((job) => `"${job.name}" is paused: ${job.paused_reason}`).join('; '))
  },
  lifetimes: async ({ engine, domains, config }) => {
    const jobs = await engine.cron.jobs.list({ isActive: true })
    const lifetimeMs = config.CACHE_HARD_TTL_SECONDS * 1000
    checkLifetime(jobs, { domains, lifetimeMs, now: new Date() })
    return 'entries outlive the time between two warmings'
  },
}

function problem(message: string): PrewarmError {
  return new PrewarmError('bad_configuration', message)
}
