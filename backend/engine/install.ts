import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { migrate, pendingMigrations, type Db, type MigrationFolder } from './db/index.ts'
import type { Domain } from './domain.ts'

/** Brings the engine's tables and those of the domains up to date, and returns the files that were applied. */
export function install(db: Db, domains: readonly Domain[]): Promise<string[]> {
  return migrate(db, migrationFolders(domains))
}

/** The files that `install` would apply. */
export function notInstalled(db: Db, domains: readonly Domain[]): Promise<string[]> {
  return pendingMigrations(db, migrationFolders(domains))
}

export function migrationFolders(domains: readonly Domain[]): MigrationFolder[] {
  const engine = { scope: 'engine', folder: join(import.meta.dirname, 'db', 'migrations') }
  const own = domains.map(({ name, folder }) => ({ scope: name, folder: join(folder, 'schema') }))
  return [engine, ...own.filter(({ folder }) => existsSync(folder))]
}
