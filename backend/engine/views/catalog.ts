import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { compileSql } from '../db/index.ts'
import type { Domain, View } from '../domain.ts'
import { messageOf, PrewarmError } from '../errors.ts'

export type InstalledView = View & {
  /** Unique over all domains. */
  name: string
  domain: string
  /** `DOMAIN.NAME`, as in `campaigns.mv_daily_stats`. */
  qualified: string
  /** The select, without a semicolon. */
  select: string
  /** Moves when the select, the key or the indexes do. */
  hash: string
}

export type ViewCatalog = {
  /** A view comes after those that it reads. */
  all: readonly InstalledView[]
  find(name: string): InstalledView | undefined
}

/** Reads the SQL of every view. Throws `bad_configuration` for a file that is missing, a name given twice, and views that read one another. */
export async function loadViews(domains: readonly Domain[]): Promise<ViewCatalog> {
  const loaded = await Promise.all(
    domains.flatMap((domain) =>
      Object.entries<View>(domain.views ?? {}).map(([name, view]) => load(domain, name, view)),
    ),
  )
  refuseTwice(loaded)
  const all = inOrder(loaded)
  return { all, find: (name) => all.find((view) => view.name === name) }
}

async function load(domain: Domain, name: string, view: View): Promise<InstalledView> {
  const file = join(domain.folder, 'views', `${name}.sql`)
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new PrewarmError('bad_configuration', `The view ${name} has no SQL: ${messageOf(error)}.`)
  })
  const { text: select, names } = compileSql(text)
  if (names.length > 0)
    throw new PrewarmError(
      'bad_configuration',
      `${file} asks for :'${names[0]}', but a view has no parameters.`,
    )
  const { uniqueBy, indexes = [] } = view
  const hash = createHash('sha256')
    .update(JSON.stringify([select, uniqueBy, indexes]))
    .digest('hex')
    .slice(0, 16)
  return { ...view, name, domain: domain.name, qualified: `${domain.name}.${name}`, select, hash }
}

function refuseTwice(views: readonly InstalledView[]): void {
  const seen = new Map<string, InstalledView>()
  for (const view of views) {
    const other = seen.get(view.name)
    if (other)
      throw new PrewarmError(
        'bad_configuration',
        `The domains ${other.domain} and ${view.domain} both have a view ${view.name}; rename one of them.`,
      )
    seen.set(view.name, view)
  }
}

function inOrder(views: readonly InstalledView[]): InstalledView[] {
  const ordered = new Map<string, InstalledView>()
  const add = (view: InstalledView, above: readonly string[]): void => {
    if (above.includes(view.name))
      throw new PrewarmError(
        'bad_configuration',
        `The views ${[...above, view.name].join(' → ')} read one another.`,
      )
    for (const read of views.filter(
      ({ name, domain }) => domain === view.domain && view.reads.includes(name),
    ))
      add(read, [...above, view.name])
    ordered.set(view.name, view)
  }
  for (const view of views) add(view, [])
  return [...ordered.values()]
}
