// A report over views, asked of the source tables instead: the select of each view takes the view's place, as a common table
// expression of the view's name. So nothing that a view got wrong, or that its refresh left behind, is in the answer.
import { quoteIdentifier, replaceName } from '../db/index.ts'
import type { InstalledView } from '../views/index.ts'

/** `views` are those under the report; a view comes after those that it reads. */
export function fromSources(sql: string, views: readonly InstalledView[]): string {
  if (views.length === 0) return sql
  // Not materialized, so that the restriction to the asked tenants reaches the tables.
  const bodies = views.map(({ name, select }) => {
    const body = withPlainNames(select, views)
    return `${quoteIdentifier(name)} as not materialized (\n${body}\n)`
  })
  return `with ${bodies.join(',\n')}\nselect * from (\n${withPlainNames(sql, views)}\n) as from_sources`
}

/** What the report reads when there are no views. */
export function sourcesUnder(reads: readonly string[], views: readonly InstalledView[]): string[] {
  const names = new Set(views.map(({ name }) => name))
  const all = [...reads, ...views.flatMap((view) => view.reads)]
  return [...new Set(all)].filter((name) => !names.has(name))
}

// A name with its schema would still mean the view.
function withPlainNames(sql: string, views: readonly InstalledView[]): string {
  return views.reduce(
    (text, { qualified, name }) => replaceName(text, qualified, quoteIdentifier(name)),
    sql,
  )
}
