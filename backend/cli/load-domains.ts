// Domains of a team's own, outside this tree: folders whose index exports a domain.
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as z from 'zod'
import { longestGap } from '../engine/cron/index.ts'
import type { Domain, Report } from '../engine/domain.ts'
import { messageOf, PrewarmError } from '../engine/errors.ts'

// A folder of TypeScript that says nothing else is CommonJS, unless its package.json or the file's name says that it is a module.
const FILES = ['index.ts', 'index.mts', 'index.js', 'index.mjs']

const Name = z
  .string()
  .regex(/^[a-z][a-z0-9_]*$/, 'must be lower-case letters, digits and underscores')

/** What stands in cache keys, log lines and URLs as it is. */
const Word = z.string().regex(/^[\w-]+$/, 'must be letters, digits, hyphens and underscores')
const Key = z
  .string()
  .regex(/^[\w:-]+$/, 'must be letters, digits, colons, hyphens and underscores')

const Variant = z
  .looseObject({
    param: Name,
    keyName: Word,
    values: z.tuple([Word], Word),
    default: Word,
  })
  .refine((variant) => variant.values.includes(variant.default), {
    path: ['default'],
    message: 'must be one of the values',
  })

const isOfPostgres = (name: string): boolean => /^(pg_.*|public|information_schema)$/.test(name)

const DomainShape = z.looseObject({
  name: Name.refine((name) => !isOfPostgres(name), 'is a schema of PostgreSQL itself'),
  folder: z.string(),
  sources: z.record(Name, z.looseObject({ tenantColumn: z.string() })),
  reports: z.record(
    Name,
    z.looseObject({
      title: z.string(),
      reads: z.array(z.string()),
      changesAt: z.enum(['local midnight', 'never']),
      key: Key.exactOptional(),
      alias: Word.exactOptional(),
      variant: Variant.exactOptional(),
      scoped: z.boolean().exactOptional(),
      mergesTenants: z.boolean().exactOptional(),
      widgets: z.record(Word, z.array(z.string())).exactOptional(),
    }),
  ),
  jobs: z.record(
    z.string(),
    z.looseObject({ warm: z.string(), tenants: z.enum(['all', 'expired']) }),
  ),
  schedules: z.array(z.looseObject({ name: z.string(), at: z.string(), run: z.string() })),
  demo: z.looseObject({ rowsPerTenant: z.int().min(1) }).exactOptional(),
})

/** `folders` as in PATH. Throws `bad_configuration` naming the folder that has no domain, or what is wrong with it. */
export async function loadDomains(folders: string, others: readonly Domain[]): Promise<Domain[]> {
  const paths = folders.split(':').filter(Boolean)
  const loaded = await Promise.all(paths.map((path) => load(resolve(path))))
  refuseTwins([...others, ...loaded])
  return loaded
}

// Of two reports with one key each would throw away what the other kept, and of two with one alias one cannot be asked for.
function refuseTwins(domains: readonly Domain[]): void {
  const reports = domains.flatMap((domain) => Object.entries<Report>(domain.reports))
  const given = {
    'domains called': domains.map(({ name }) => name),
    'reports with the alias': reports.map(([name, { alias }]) => alias ?? name),
    'reports with the key': reports.flatMap(([, { key }]) => key ?? []),
    'schedules called': domains.flatMap(({ schedules }) => schedules.map(({ name }) => name)),
  }
  for (const [what, names] of Object.entries(given)) {
    const twice = names.find((name, i) => names.indexOf(name) !== i)
    if (twice !== undefined) throw wrong(`there are two ${what} "${twice}"`)
  }
}

async function load(folder: string): Promise<Domain> {
  const file = FILES.map((name) => join(folder, name)).find((path) => existsSync(path))
  if (!file) throw wrong(`${folder} has none of ${FILES.join(', ')}`)
  const module: unknown = await import(pathToFileURL(file).href).catch((error: unknown) => {
    throw wrong(`${file} cannot be loaded as an ES module: ${messageOf(error)}`)
  })
  const exported = typeof module === 'object' && module !== null ? Object.values(module) : []
  const found = exported.map((value) => DomainShape.safeParse(value))
  const good = found.find((result) => result.success)
  if (good?.data) return checked(good.data, file)
  const problem = found[0]?.error ? z.prettifyError(found[0].error) : 'it exports nothing'
  throw wrong(`${file} exports no domain: ${problem}`)
}

// The names that tie a domain together; for domains inside the tree the compiler checks them.
function checked(domain: z.output<typeof DomainShape>, file: string): Domain {
  for (const [name, { reads }] of Object.entries(domain.reports)) {
    const unknown = reads.find((source) => !Object.hasOwn(domain.sources, source))
    if (unknown)
      throw wrong(`${file}: the report ${name} reads "${unknown}", which is not a source`)
  }
  for (const [name, { warm }] of Object.entries(domain.jobs)) {
    if (!Object.hasOwn(domain.reports, warm))
      throw wrong(`${file}: the job ${name} warms "${warm}", which is not a report`)
  }
  for (const { name, run, at } of domain.schedules) {
    if (!Object.hasOwn(domain.jobs, run))
      throw wrong(`${file}: the schedule "${name}" runs "${run}", which is not a job`)
    checkSchedule(at, `${file}: the schedule "${name}"`)
  }
  return domain
}

function checkSchedule(at: string, whose: string): void {
  try {
    longestGap(at, 'UTC', new Date())
  } catch (error) {
    throw wrong(`${whose}: ${messageOf(error)}`)
  }
}

function wrong(message: string): PrewarmError {
  return new PrewarmError('bad_configuration', `PREWARM_DOMAINS: ${message.replace(/\.$/, '')}.`, {
    field: 'PREWARM_DOMAINS',
  })
}
