// The data of the embedded PostgreSQL on the disk: how it is made, and which server it belongs to.
import { execFile } from 'node:child_process'
import {
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { messageOf, PrewarmError } from '../errors.ts'
import {
  type Account,
  commandLine,
  processStart,
  type Running,
  identityOf,
} from '../servers/index.ts'

export type Cluster = {
  folder: string
  data: string
  bin: string
  account: Account | undefined
  password: string
}

export const DATABASE = 'prewarm'
export const SUPERUSER = 'prewarm'

// None of ours: PGDATA, PGPORT and the like would mislead it. English, because we read its messages.
export const ENVIRONMENT = { LC_ALL: 'C', TZ: 'UTC' }

/** Does nothing if there is one. Made beside its place and moved there when complete, so no half of one remains. */
export async function createCluster(cluster: Cluster): Promise<void> {
  if (existsSync(cluster.data)) return
  const unfinished = { ...cluster, data: `${cluster.data}.unfinished` }
  rmSync(unfinished.data, { recursive: true, force: true })
  mkdirSync(unfinished.data, { mode: 0o700 })
  own(cluster.account, unfinished.data)
  await initialise(unfinished)
  await run(
    unfinished,
    ['postgres', '--single', '-D', unfinished.data, 'postgres'],
    `create database ${DATABASE}\n`,
  )
  renameSync(unfinished.data, cluster.data)
}

async function initialise(cluster: Cluster): Promise<void> {
  const passwordFile = join(cluster.folder, 'password.initdb')
  writeFileSync(passwordFile, cluster.password, { mode: 0o600 })
  own(cluster.account, passwordFile)
  const options = [
    `--pgdata=${cluster.data}`,
    `--username=${SUPERUSER}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // The same order of text on every machine, whatever its locales are.
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
  ]
  await run(cluster, ['initdb', ...options]).finally(() => rmSync(passwordFile, { force: true }))
}

async function run(
  { bin, account, folder }: Cluster,
  [name = '', ...args]: readonly string[],
  input = '',
): Promise<void> {
  const options = { ...identityOf(account), cwd: folder, env: ENVIRONMENT }
  const running = promisify(execFile)(join(bin, name), args, options)
  running.child.stdin?.end(input)
  try {
    await running
  } catch (cause) {
    const message = `The embedded PostgreSQL could not be set up in ${folder}: ${messageOf(cause)}`
    throw new PrewarmError('unavailable', message, { cause })
  }
}

function own(account: Account | undefined, path: string): void {
  if (account !== undefined) chownSync(path, account.uid, account.gid)
}

/** The server that runs on this data, whoever started it. */
export function findLostServer(cluster: Cluster): Running | undefined {
  const { pid, port } = readPidFile(cluster)
  const start = isOurs(cluster, pid) ? processStart(pid) : undefined
  return start === undefined ? undefined : { pid, start, port }
}

/**
 * PostgreSQL refuses to start while any process lives whose pid stands in its pid file, be it what it may; only its
 * parent cannot be it. The file must stay: it also leads PostgreSQL to children of a killed server that still write.
 */
export function disarmPidFile(cluster: Cluster): void {
  const { pid } = readPidFile(cluster)
  if (processStart(pid) === undefined || isOurs(cluster, pid)) return
  const [, ...rest] = readFileSync(pidFile(cluster), 'utf8').split('\n')
  writeFileSync(pidFile(cluster), [process.pid, ...rest].join('\n'))
}

/** A new password would not fit the old data, and PostgreSQL would turn us away for as long as we try. */
export function checkPassword({ folder, data }: Pick<Cluster, 'folder' | 'data'>): void {
  const password = join(folder, 'password')
  if (!existsSync(data) || existsSync(password)) return
  throw new PrewarmError(
    'bad_configuration',
    `${password} is missing. Put it back, or remove ${folder} to begin with an empty database.`,
  )
}

function isOurs({ data }: Cluster, pid: number): boolean {
  return commandLine(pid).includes(` -D ${data} `)
}

// The first line is the pid, the fourth the port.
function readPidFile(cluster: Cluster): { pid: number; port: number } {
  const path = pidFile(cluster)
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : []
  return { pid: Number(lines[0] ?? 0), port: Number(lines[3] ?? 0) }
}

function pidFile({ data }: Cluster): string {
  return join(data, 'postmaster.pid')
}
