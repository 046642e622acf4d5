import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { compileSql } from '../db/index.ts'
import type { Domain, Source, View } from '../domain.ts'
import { messageOf, PrewarmError } from '../errors.ts'
import { checkPolicy } from './policy.ts'

export type InstalledView = View & {
  /** Unique over all domains. */
  name: string
  domain: string
  /** `DOMAIN.NAME`, as in `campaigns.mv_daily_stats`. */
  qualified: string
  /** The tables and views that it reads itself, as `schema.name`. */
  sources: readonly string[]
  /** Those of `reads` that are views. */
  readsViews: readonly string[]
  /** Whether it reads a table that may have no triggers. */
  readsUntracked: boolean
  timeoutSeconds: number
  /** The select, without a semicolon. */
  select: string
  /** Moves when the select, the key or the indexes do, or those of a view that it reads. */
  hash: string
}

export type ViewCatalog = {
  /** A view comes after those that it reads. */
  all: readonly InstalledView[]
  /** The domains of this program, those without views, too. */
  domains: readonly string[]
  find(name: string): InstalledView | undefined
}

const TIMEOUT_SECONDS = 300

// PostgreSQL cuts longer names off, and while a view is rebuilt its name and those of its indexes are longer than usual.
const LONGEST_NAME = 40

/** Reads the SQL of every view. Throws `bad_configuration` for a file that is missing, a name given twice, and views that read one another. */
export async function loadViews(domains: readonly Domain[]): Promise<ViewCatalog> {
  const loaded = await Promise.all(
    domains.flatMap((domain) =>
      Object.entries<View>(domain.views ?? {}).map(([name, view]) => load(domain, name, view)),
    ),
  )
  refuseTwice(loaded)
  const all = inOrder(loaded)
  const names = domains.map(({ name }) => name)
  return { all, domains: names, find: (name) => all.find((view) => view.name === name) }
}

async function load(domain: Domain, name: string, view: View): Promise<InstalledView> {
  if (name.length > LONGEST_NAME)
    throw wrong(`The name of the view ${name} is longer than ${LONGEST_NAME} letters.`)
  for (const policy of view.refresh) checkPolicy(name, policy)
  const select = await readSelect(domain, name)
  const { uniqueBy, indexes = [] } = view
  return {
    timeoutSeconds: TIMEOUT_SECONDS,
    ...view,
    ...readsOf(domain, name, view),
    name,
    domain: domain.name,
    qualified: `${domain.name}.${name}`,
    select,
    hash: hashOf([select, uniqueBy, indexes]),
  }
}

async function readSelect(domain: Domain, name: string): Promise<string> {
  const file = join(domain.folder, 'views', `${name}.sql`)
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw wrong(`The view ${name} has no SQL: ${messageOf(error)}.`)
  })
  const { text: select, names } = compileSql(text)
  if (names.length > 0)
    throw wrong(`${file} asks for :'${names[0]}', but a view has no parameters.`)
  return select
}

type Reads = Pick<InstalledView, 'sources' | 'readsViews' | 'readsUntracked'>

function readsOf(domain: Domain, name: string, { reads }: View): Reads {
  const sources = new Map<string, Source>(Object.entries(domain.sources))
  const isView = (read: string): boolean => Object.hasOwn(domain.views ?? {}, read)
  const unknown = reads.find((read) => !isView(read) && !sources.has(read))
  if (unknown)
    throw wrong(`The view ${name} reads ${unknown}, which is no source and no view of its domain.`)
  return {
    sources: reads.map((read) => sources.get(read)?.table ?? `${domain.name}.${read}`),
    readsViews: reads.filter(isView),
    readsUntracked: reads.some((read) => sources.get(read)?.isTracked === false),
  }
}

function refuseTwice(views: readonly InstalledView[]): void {
  const seen = new Map<string, InstalledView>()
  for (const view of views) {
    const other = seen.get(view.name)
    if (other)
      throw wrong(
        `The domains ${other.domain} and ${view.domain} both have a view ${view.name}; rename one of them.`,
      )
    seen.set(view.name, view)
  }
}

function inOrder(views: readonly InstalledView[]): InstalledView[] {
  const ordered = new Map<string, InstalledView>()
  const add = (view: InstalledView, above: readonly string[]): string => {
    if (above.includes(view.name))
      throw wrong(`The views ${[...above, view.name].join(' → ')} read one another.`)
    const below = views
      .filter(({ name, domain }) => domain === view.domain && view.readsViews.includes(name))
      .map((read) => add(read, [...above, view.name]))
    const hash = below.length > 0 ? hashOf([view.hash, below]) : view.hash
    ordered.set(view.name, { ...view, hash })
    return hash
  }
  for (const view of views) add(view, [])
  return [...ordered.values()]
}

function hashOf(parts: unknown): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16)
}

function wrong(message: string): PrewarmError {
  return new PrewarmError('bad_configuration', message)
}
