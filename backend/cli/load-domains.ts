// Domains of a team's own, outside this tree: folders whose index exports a domain.
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as z from 'zod'
import type { Domain, Report } from '../engine/domain.ts'
import { messageOf, PrewarmError } from '../engine/errors.ts'
import { wrongName } from './check-names.ts'
import { DomainShape } from './domain-shape.ts'

// A folder of TypeScript that says nothing else is CommonJS, unless its package.json or the file's name says that it is a module.
const FILES = ['index.ts', 'index.mts', 'index.js', 'index.mjs']

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
    'views called': domains.flatMap(({ views = {} }) => Object.keys(views)),
    'reports or refresh endpoints with the path': domains.flatMap(pathsOf),
    'schedules called': domains.flatMap(({ schedules }) => schedules.map(({ name }) => name)),
  }
  for (const [what, names] of Object.entries(given)) {
    const twice = names.find((name, i) => names.indexOf(name) !== i)
    if (twice !== undefined) throw wrong(`there are two ${what} "${twice}"`)
  }
}

function pathsOf({ reports, refreshEndpoints = [] }: Domain): string[] {
  const ofReports = Object.values<Report>(reports).flatMap(({ path }) => path ?? [])
  return [...ofReports, ...refreshEndpoints.map(({ path }) => path)]
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

function checked(domain: Domain, file: string): Domain {
  const problem = wrongName(domain)
  if (problem) throw wrong(`${file}: ${problem}`)
  return domain
}

function wrong(message: string): PrewarmError {
  return new PrewarmError('bad_configuration', `PREWARM_DOMAINS: ${message.replace(/\.$/, '')}.`, {
    field: 'PREWARM_DOMAINS',
  })
}
