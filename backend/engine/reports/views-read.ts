// What a report shows of views, and of tables without triggers.
import { arrayLiteral, type Queryable } from '../db/index.ts'
import type { Domain, Report } from '../domain.ts'
import type { Tenant } from '../tenancy/index.ts'

/** The views that a report reads, and those that they read. */
export function viewsUnder({ views = {} }: Domain, { reads }: Pick<Report, 'reads'>): string[] {
  const found = new Set<string>()
  const add = (name: string): void => {
    const view = views[name]
    if (!view || found.has(name)) return
    found.add(name)
    view.reads.forEach(add)
  }
  reads.forEach(add)
  return [...found]
}

/** Whether every change of a table that the report itself reads is noted. */
export function isTracked({ sources }: Domain, { reads }: Pick<Report, 'reads'>): boolean {
  return reads.every((name) => sources[name]?.isTracked !== false)
}

/** Those of the tenants for whom a view under the report shows less than its sources hold. To be asked before the report is. */
export async function findBehind(
  db: Queryable,
  { views }: { views: readonly string[] },
  tenants: readonly { id: string }[],
): Promise<ReadonlySet<string>> {
  if (views.length === 0) return new Set()
  const rows = await db.query<{ id: string }>(
    `select distinct tenant_id::text as id from view_change
     where view_name = any ($1::text[]) and tenant_id = any ($2::uuid[])`,
    [views, arrayLiteral(tenants.map(({ id }) => id))],
  )
  return new Set(rows.map(({ id }) => id))
}

/** An active tenant with what `findBehind` says of it, in one statement, because a reader waits for it; or undefined. */
export async function findAsked(
  db: Queryable,
  { views }: { views: readonly string[] },
  id: string,
): Promise<{ tenant: Tenant; isBehind: boolean } | undefined> {
  const rows = await db.query<Tenant & { isBehind: boolean }>(
    `select id, name, timezone, exists (
       select from view_change where view_name = any ($2::text[]) and tenant_id = tenant.id
     ) as "isBehind"
     from tenant where id = $1 and is_active`,
    [id, views],
    { isKept: true },
  )
  return rows.map(({ isBehind, ...tenant }) => ({ tenant, isBehind }))[0]
}
