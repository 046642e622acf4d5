// A Redis of our own for those who have the program but run no server: on loopback only, with a password
// only we can read. It saves the cache when it is stopped, so that the next start finds it warm.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  serverAccount,
  type Account,
  startLocalServer,
  type Program,
  secretIn,
} from '../servers/index.ts'
import type { Log } from '../log.ts'
import type { Service } from '../service.ts'

export type LocalRedisOptions = {
  /** Only this server's files; the account of local servers must be able to reach it (see `chooseHome`). */
  folder: string
  log: Log
  /** The entries used least go when there are more; 512 unless given. A Redis that runs already keeps what it was started with. */
  maxMemoryMb?: number
}

const NAMES = ['redis-server', 'valkey-server']
const ANSWER_PATIENCE_MS = 1000

/** Starts the server of the folder, or joins it if it runs; undefined when the program is not on the PATH. */
export async function startLocalRedis(
  options: LocalRedisOptions,
): Promise<(Service & { url: string }) | undefined> {
  const file = await findOnPath(NAMES)
  if (file === undefined) return undefined
  const password = await secretIn(options.folder)
  const server = await startLocalServer(programOf(file, password, options))
  // After a crash it would bring back what was busted since it was saved.
  rmSync(join(dataFolder(options.folder), 'dump.rdb'), { force: true })
  return {
    url: `redis://:${password}@127.0.0.1:${server.port}`,
    stop: () => server.stop(),
  }
}

async function findOnPath(names: readonly string[]): Promise<string | undefined> {
  for (const name of names) {
    const isThere = await promisify(execFile)(name, ['--version']).then(
      () => true,
      () => false,
    )
    if (isThere) return name
  }
  return undefined
}

function programOf(file: string, password: string, options: LocalRedisOptions): Program {
  const { folder, log, maxMemoryMb } = options
  const account = serverAccount()
  const configuration = join(folder, 'redis.conf')
  return {
    title: 'the local Redis',
    folder,
    log,
    account,
    prepare: async () => {
      makeDataFolder(dataFolder(folder), account)
      configure(configuration, password, account)
    },
    command: (port) => ({ file, args: [configuration, ...flagsOf(folder, port, maxMemoryMb)] }),
    answers: (port) => answers(password, port),
    stopSignals: ['SIGTERM', 'SIGKILL'],
  }
}

function dataFolder(folder: string): string {
  return join(folder, 'data')
}

function makeDataFolder(path: string, account: Account | undefined): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  if (account !== undefined) chownSync(path, account.uid, account.gid)
}

// In a file, because everybody on the machine can read the command line of a process.
function configure(path: string, password: string, account: Account | undefined): void {
  writeFileSync(path, `requirepass ${password}\n`, { mode: 0o600 })
  if (account !== undefined) chownSync(path, account.uid, account.gid)
}

const MAX_MEMORY_MB = 512

function flagsOf(folder: string, port: number, maxMemoryMb = MAX_MEMORY_MB): string[] {
  return Object.entries({
    bind: '127.0.0.1',
    port: String(port),
    dir: dataFolder(folder),
    daemonize: 'no',
    // Only a Redis with a save point saves when it is stopped; this one comes once a year.
    save: '31536000 1',
    appendonly: 'no',
    maxmemory: `${maxMemoryMb}mb`,
    'maxmemory-policy': 'allkeys-lru',
  }).flatMap(([name, value]) => [`--${name}`, value])
}

async function answers(password: string, port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1').setTimeout(ANSWER_PATIENCE_MS)
  socket.on('timeout', () => socket.destroy(new Error('No answer.')))
  try {
    socket.write(`AUTH ${password}\r\nPING\r\n`)
    let answer = ''
    while (answer.split('\r\n').length < 3) answer += String(await once(socket, 'data'))
    return answer === '+OK\r\n+PONG\r\n'
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
