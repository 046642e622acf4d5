// Numbered plain SQL files, forward only. Each is applied once, in one transaction, and its checksum kept:
// an applied file that was edited stops the start. A file whose first line is `-- outside a transaction`
// runs statement by statement, for `create index concurrently`.
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PrewarmError } from '../errors.ts'
import type { Db, Queryable } from './pool.ts'
import { quoteIdentifier } from './identifier.ts'
import { statementsIn } from './sql-file.ts'

/** `scope` is `engine` or a domain's name; a domain's files run in the PostgreSQL schema of that name. */
export type MigrationFolder = { scope: string; folder: string }

type Migration = { scope: string; name: string; sql: string; checksum: string }

// Waiters poll: a blocked pg_advisory_lock would hold a snapshot, and `create index concurrently`
// in the holder would wait for that snapshot: a deadlock.
const LOCK = "hashtext('prewarm migrations')"
const POLL_MS = 100

/** Applies what is missing and returns the names of what it applied, as `scope/file`. Needs two connections of the pool. */
export async function migrate(db: Db, folders: readonly MigrationFolder[]): Promise<string[]> {
  const wanted = (await Promise.all(folders.map(read))).flat()
  return db.transaction(async (lock) => {
    while (!(await tryLock(lock))) await sleep(POLL_MS)
    await createLedger(db)
    const applied = await appliedChecksums(db)
    const missing = wanted.filter((migration) => isMissing(migration, applied))
    for (const migration of missing) await apply(db, migration)
    return missing.map(idOf)
  })
}

/** The names of what `migrate` would apply. */
export async function pendingMigrations(
  db: Db,
  folders: readonly MigrationFolder[],
): Promise<string[]> {
  const wanted = (await Promise.all(folders.map(read))).flat()
  const [ledger] = await db.query<{ name: string | null }>(
    "select to_regclass('public.schema_migration')::text as name",
  )
  const applied = ledger?.name ? await appliedChecksums(db) : new Map<string, string>()
  return wanted.filter((migration) => isMissing(migration, applied)).map(idOf)
}

async function read({ scope, folder }: MigrationFolder): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).toSorted()
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(join(folder, name), 'utf8')
      return { scope, name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
    }),
  )
}

async function tryLock(tx: Queryable): Promise<boolean> {
  const rows = await tx.query<{ won: boolean }>(`select pg_try_advisory_xact_lock(${LOCK}) as won`)
  return rows[0]?.won === true
}

async function createLedger(db: Db): Promise<void> {
  await db.query(`
    create table if not exists public.schema_migration (
      id         text primary key,
      checksum   text not null,
      applied_at timestamptz not null default now()
    )`)
}

async function appliedChecksums(db: Db): Promise<Map<string, string>> {
  const rows = await db.query<{ id: string; checksum: string }>(
    'select id, checksum from public.schema_migration',
  )
  return new Map(rows.map((row) => [row.id, row.checksum]))
}

function isMissing(migration: Migration, applied: Map<string, string>): boolean {
  const checksum = applied.get(idOf(migration))
  if (checksum === undefined || checksum === migration.checksum) return checksum === undefined
  throw new PrewarmError(
    'bad_configuration',
    `The migration ${idOf(migration)} was edited after it was applied. Restore the file and add a new one.`,
  )
}

function apply(db: Db, migration: Migration): Promise<void> {
  return migration.sql.startsWith('-- outside a transaction')
    ? db.session((session) => applyOneByOne(session, migration))
    : db.transaction((tx) => applyAsOne(tx, migration))
}

async function applyAsOne(tx: Queryable, migration: Migration): Promise<void> {
  await enterSchema(tx, migration.scope, 'set local')
  await tx.query(migration.sql)
  await record(tx, migration)
}

// Several statements that are sent together are a transaction, too.
async function applyOneByOne(session: Queryable, migration: Migration): Promise<void> {
  await enterSchema(session, migration.scope, 'set')
  for (const statement of statementsIn(migration.sql)) await session.query(statement)
  await record(session, migration)
}

async function record(db: Queryable, migration: Migration): Promise<void> {
  await db.query('insert into public.schema_migration (id, checksum) values ($1, $2)', [
    idOf(migration),
    migration.checksum,
  ])
}

async function enterSchema(db: Queryable, scope: string, set: 'set' | 'set local'): Promise<void> {
  if (scope === 'engine') {
    await db.query(`${set} search_path = public`)
  } else {
    await db.query(`create schema if not exists ${quoteIdentifier(scope)}`)
    await db.query(`${set} search_path = ${quoteIdentifier(scope)}, public`)
  }
}

function idOf({ scope, name }: Migration): string {
  return `${scope}/${name}`
}
