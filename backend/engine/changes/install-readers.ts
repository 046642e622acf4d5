import type { Db } from '../db/index.ts'
import type { Domain } from '../domain.ts'
import { readersOf } from './sources.ts'

/** Tells the drainers, of whatever version, who reads what. Readers of other domains may be another program's. */
export async function installReaders(db: Db, domains: readonly Domain[]): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.query('lock table source_reader in share row exclusive mode')
    const readers = readersOf(domains)
    await tx.query(
      `delete from source_reader r
       where kind = 'report' and split_part(reader, ':', 1) = any ($1)
         or kind = 'view' and (
           reader = any ($2) or exists (select from view_state s where s.view_name = reader and s.domain = any ($1))
         )`,
      [domains.map(({ name }) => name), readers.map(({ reader }) => reader)],
    )
    await tx.query(
      `insert into source_reader (source, kind, reader, is_direct, merges_tenants, debounce_seconds)
       select source, kind, reader, "isDirect", "mergesTenants", "debounceSeconds"
       from jsonb_to_recordset($1::jsonb) as given (
         source text, kind text, reader text, "isDirect" boolean, "mergesTenants" boolean, "debounceSeconds" double precision
       )`,
      [JSON.stringify(readers)],
    )
    await tx.query(
      `delete from dirty_entry where report not in (select reader from source_reader where kind = 'report')`,
    )
  })
}
