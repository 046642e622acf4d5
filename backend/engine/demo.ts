// Demo tenants of any number and size, the same every time. A tenant and its rows appear together or not at all.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  arrayLiteral,
  compileSql,
  quoteIdentifier,
  type CompiledSql,
  type Db,
  type Queryable,
} from './db/index.ts'
import type { Domain, Source } from './domain.ts'
import { createDemoTenants, findDemoTenants } from './tenancy/index.ts'

export type DemoOptions = {
  tenants: number
  /** Rows per tenant and domain; what the domain suggests unless given. */
  rows?: number | undefined
  now: Date
  /** Tenants per transaction. */
  batch?: number
  /** No further transaction is begun once it is aborted. */
  signal?: AbortSignal | undefined
  onProgress?: ((progress: { done: number; total: number }) => void) | undefined
}

export type DemoMade = {
  tenants: number
  /** Tenants that existed and had no data in some domain, as when the domain is newer than they are. */
  filled: number
}

type DemoData = { domain: Domain; statements: CompiledSql[]; rowsPerTenant: number }

// A transaction of so many takes about a second, and who ends the program waits for it.
const BATCH = 25

/** Makes those of the first `tenants` demo tenants that do not exist yet, and gives each of them data in the domains where it has none. */
export async function createDemo(
  db: Db,
  domains: readonly Domain[],
  { tenants: total, rows, now, batch = BATCH, signal, onProgress }: DemoOptions,
): Promise<DemoMade> {
  const data = await Promise.all(domains.filter(({ demo }) => demo).map(readDemo))
  const made: DemoMade = { tenants: 0, filled: 0 }
  for (let from = 1; from <= total; from += batch) {
    signal?.throwIfAborted()
    const to = Math.min(total, from + batch - 1)
    await db.transaction(async (tx) => {
      const created = await createDemoTenants(tx, { from, to, now })
      const ids = await findDemoTenants(tx, { from, to })
      const filled = await fill(tx, data, { ids, rows, now })
      made.tenants += created.length
      made.filled += new Set([...filled, ...created]).size - created.length
    })
    onProgress?.({ done: to, total })
  }
  // What autovacuum does in time: the planner learns of the rows, and index-only scans of their visibility.
  if (made.tenants + made.filled > 0) await db.query('vacuum (analyze)')
  return made
}

/** Returns the tenants that had no data in some domain. */
async function fill(
  tx: Queryable,
  data: readonly DemoData[],
  { ids, rows, now }: { ids: readonly string[]; rows: number | undefined; now: Date },
): Promise<string[]> {
  const filled: string[] = []
  for (const { domain, statements, rowsPerTenant } of data) {
    const empty = await findEmpty(tx, domain, ids)
    const values = {
      tenant_ids: arrayLiteral(empty),
      rows: String(rows ?? rowsPerTenant),
      now: now.toISOString(),
    }
    for (const statement of empty.length > 0 ? statements : [])
      await tx.query(statement.text, statement.bind(values))
    filled.push(...empty)
  }
  return filled
}

/** Those of the tenants that have no row in any source of the domain. */
async function findEmpty(
  tx: Queryable,
  { name, sources }: Domain,
  ids: readonly string[],
): Promise<string[]> {
  const hasRow = Object.entries<Source>(sources).map(([source, { table, tenantColumn }]) => {
    const path = (table ?? `${name}.${source}`).split('.').map(quoteIdentifier).join('.')
    return `exists (select from ${path} where ${quoteIdentifier(tenantColumn)} = asked.id)`
  })
  const rows = await tx.query<{ id: string }>(
    `select id from unnest($1::uuid[]) as asked (id) where not (${['false', ...hasRow].join(' or ')})`,
    [ids],
  )
  return rows.map(({ id }) => id)
}

async function readDemo(domain: Domain): Promise<DemoData> {
  const path = join(domain.folder, 'demo')
  const files = (await readdir(path)).filter((file) => file.endsWith('.sql')).toSorted()
  const texts = await Promise.all(files.map((file) => readFile(join(path, file), 'utf8')))
  return {
    domain,
    statements: texts.map(compileSql),
    rowsPerTenant: domain.demo?.rowsPerTenant ?? 0,
  }
}
