// Demo tenants of any number and size, the same every time. A tenant and its rows appear together or not at all.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { arrayLiteral, compileSql, type CompiledSql, type Db } from './db/index.ts'
import type { Domain } from './domain.ts'
import { createDemoTenants } from './tenancy/index.ts'

export type DemoOptions = {
  tenants: number
  /** Rows per tenant and domain; what the domain suggests unless given. */
  rows?: number | undefined
  now: Date
  /** Tenants per transaction. */
  batch?: number
  onProgress?: ((progress: { done: number; total: number }) => void) | undefined
}

const BATCH = 100

/** Makes those of the first `tenants` demo tenants that do not exist yet, with data in every domain, and returns how many it made. */
export async function createDemo(
  db: Db,
  domains: readonly Domain[],
  options: DemoOptions,
): Promise<number> {
  const { tenants: total, batch = BATCH, now, onProgress } = options
  const demos = await Promise.all(domains.map(statementsOf))
  let made = 0
  for (let from = 1; from <= total; from += batch) {
    const to = Math.min(total, from + batch - 1)
    made += await db.transaction(async (tx) => {
      const ids = await createDemoTenants(tx, { from, to, now })
      for (const { statements, rows } of demos) {
        const values = {
          tenant_ids: arrayLiteral(ids),
          rows: String(options.rows ?? rows),
          now: now.toISOString(),
        }
        for (const statement of ids.length > 0 ? statements : [])
          await tx.query(statement.text, statement.bind(values))
      }
      return ids.length
    })
    onProgress?.({ done: to, total })
  }
  // What autovacuum does in time: the planner learns of the rows, and index-only scans of their visibility.
  if (made > 0) await db.query('vacuum (analyze)')
  return made
}

async function statementsOf({
  folder,
  demo,
}: Domain): Promise<{ statements: CompiledSql[]; rows: number }> {
  if (!demo) return { statements: [], rows: 0 }
  const path = join(folder, 'demo')
  const files = (await readdir(path)).filter((name) => name.endsWith('.sql')).toSorted()
  const texts = await Promise.all(files.map((name) => readFile(join(path, name), 'utf8')))
  return { statements: texts.map(compileSql), rows: demo.rowsPerTenant }
}
