// Where local servers live, and as whom. PostgreSQL refuses to run as root, so a root that starts Prewarm
// starts its servers as an ordinary user, who must be able to reach their files.
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { PrewarmError } from '../errors.ts'

export type Account = { name: string; uid: number; gid: number }

/** What every user of a machine can reach; used when the checkout lies where only root can. */
export const SHARED_HOME = '/var/lib/prewarm'

/** Whom local servers run as when we are root; undefined when we are not: then they run as we do. */
export function serverAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined
  const accounts = readFileSync('/etc/passwd', 'utf8').split('\n').map(parseAccount)
  const account =
    accounts.find(({ name }) => name === 'postgres') ??
    accounts.find(({ name }) => name === 'nobody')
  if (account !== undefined) return account
  throw new PrewarmError(
    'bad_configuration',
    'PostgreSQL does not run as root, and this system has neither a user "postgres" nor "nobody". ' +
      'Start Prewarm as an ordinary user, or set DATABASE_URL to a server of your own.',
    { field: 'DATABASE_URL' },
  )
}

function parseAccount(line: string): Account {
  const [name = '', , uid, gid] = line.split(':')
  return { name, uid: Number(uid), gid: Number(gid) }
}

/** `preferred` when the account of local servers can get there, else a folder of its own in the shared home. */
export function chooseHome(preferred: string, account = serverAccount()): string {
  if (canReach(account, preferred)) return preferred
  const name = createHash('sha256').update(resolve(preferred)).digest('hex').slice(0, 8)
  return join(SHARED_HOME, name)
}

/** Whether the account may enter every folder on the way to `path`; what does not exist yet does not count. */
export function canReach(account: Account | undefined, path: string): boolean {
  if (account === undefined) return true
  let folder = resolve(path)
  while (!existsSync(folder)) folder = dirname(folder)
  return [...foldersOf(realpathSync(folder))].every((entry) => mayEnter(account, entry))
}

function* foldersOf(path: string): Generator<string> {
  yield path
  if (dirname(path) !== path) yield* foldersOf(dirname(path))
}

function mayEnter({ uid, gid }: Account, path: string): boolean {
  const stat = statSync(path)
  if (stat.uid === uid) return (stat.mode & 0o100) !== 0
  if (stat.gid === gid) return (stat.mode & 0o010) !== 0
  return (stat.mode & 0o001) !== 0
}

/** Makes the folder and its parents, each enterable by other users whatever the umask is. */
export function makeEnterable(folder: string): void {
  if (existsSync(folder)) return
  makeEnterable(dirname(folder))
  mkdirSync(folder, { recursive: true })
  chmodSync(folder, 0o755)
}
