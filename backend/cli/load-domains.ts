// Domains of a team's own, outside this tree: folders whose index exports a domain.
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as z from 'zod'
import type { Domain } from '../engine/domain.ts'
import { messageOf, PrewarmError } from '../engine/errors.ts'

// A folder of TypeScript that says nothing else is CommonJS, unless its package.json or the file's name says that it is a module.
const FILES = ['index.ts', 'index.mts', 'index.js', 'index.mjs']

const Name = z
  .string()
  .regex(/^[a-z][a-z0-9_]*$/, 'must be lower-case letters, digits and underscores')

const DomainShape = z.looseObject({
  name: Name,
  folder: z.string(),
  sources: z.record(Name, z.looseObject({ tenantColumn: z.string() })),
  reports: z.record(
    Name,
    z.looseObject({
      title: z.string(),
      reads: z.array(z.string()),
      changesAt: z.enum(['local midnight', 'never']),
    }),
  ),
  jobs: z.record(
    z.string(),
    z.looseObject({ warm: z.string(), tenants: z.enum(['all', 'expired']) }),
  ),
  schedules: z.array(z.looseObject({ name: z.string(), at: z.string(), run: z.string() })),
})

/** `folders` as in PATH. Throws `bad_configuration` naming the folder that has no domain, or what is wrong with it. */
export async function loadDomains(folders: string, others: readonly Domain[]): Promise<Domain[]> {
  const paths = folders.split(':').filter(Boolean)
  const loaded = await Promise.all(paths.map((path) => load(resolve(path))))
  const names = [...others, ...loaded].map((domain) => domain.name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice) throw wrong(`there are two domains called "${twice}"`)
  return loaded
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
    const unknown = reads.find((source) => !(source in domain.sources))
    if (unknown)
      throw wrong(`${file}: the report ${name} reads "${unknown}", which is not a source`)
  }
  for (const [name, { warm }] of Object.entries(domain.jobs)) {
    if (!(warm in domain.reports))
      throw wrong(`${file}: the job ${name} warms "${warm}", which is not a report`)
  }
  for (const { name, run } of domain.schedules) {
    if (!(run in domain.jobs))
      throw wrong(`${file}: the schedule "${name}" runs "${run}", which is not a job`)
  }
  return domain
}

function wrong(message: string): PrewarmError {
  return new PrewarmError('bad_configuration', `PREWARM_DOMAINS: ${message}.`, {
    field: 'PREWARM_DOMAINS',
  })
}
