import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { installChanges } from './changes/index.ts'
import { migrate, pendingMigrations, type Db, type MigrationFolder } from './db/index.ts'
import type { Domain } from './domain.ts'
import { installLanes } from './lanes/index.ts'
import type { Log } from './log.ts'
import { installViews, loadViews, setSearchPath } from './views/index.ts'

/** The files that were applied, and what was done with views, such as `made DOMAIN.VIEW`. */
export type Installed = { applied: string[]; views: string[] }

/**
 * Brings the engine's tables, those of the domains, their triggers and their views up to date. The triggers come before the
 * views: what changes while a view is being made has to be noted.
 */
export async function install(db: Db, domains: readonly Domain[], log: Log): Promise<Installed> {
  const catalog = await loadViews(domains)
  const applied = await migrate(db, migrationFolders(domains))
  await installLanes(db)
  await setSearchPath(db, domains, log)
  await installChanges(db, domains)
  return { applied, views: await installViews({ db, catalog, log }) }
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
