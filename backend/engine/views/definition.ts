// The statements that make a view and its indexes, under a name of its own while it is being built.
import { quoteIdentifier } from '../db/index.ts'
import type { InstalledView } from './catalog.ts'

export const BUILDING = '__new'
export const REPLACED = '__old'

export type Index = { name: string; columns: readonly string[]; isUnique: boolean }

/** With the name that each index has in the end. */
export function indexesOf({ name, uniqueBy, indexes = [] }: InstalledView): Index[] {
  const further = indexes.map((columns, i) => ({
    name: `${name}_${i + 1}_idx`,
    columns,
    isUnique: false,
  }))
  return [{ name: `${name}_key`, columns: uniqueBy, isUnique: true }, ...further]
}

export function createView(view: InstalledView, suffix = ''): string {
  return `create materialized view ${idOf(view, suffix)} as\n${view.select}`
}

export function createIndex(view: InstalledView, index: Index, suffix = ''): string {
  const unique = index.isUnique ? 'unique' : ''
  const columns = index.columns.map(quoteIdentifier).join(', ')
  return `create ${unique} index ${quoteIdentifier(index.name + suffix)} on ${idOf(view, suffix)} (${columns})`
}

/** The view's name in SQL. */
export function idOf({ domain, name }: { domain: string; name: string }, suffix = ''): string {
  return `${quoteIdentifier(domain)}.${quoteIdentifier(name + suffix)}`
}
