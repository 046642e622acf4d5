// A real PostgreSQL for those who have none: on loopback only, with a password only we can read.
import { join } from 'node:path'
import { Client } from 'pg'
import {
  SHARED_HOME,
  serverAccount,
  startLocalServer,
  type Program,
  secretIn,
} from '../servers/index.ts'
import type { Log } from '../log.ts'
import type { Service } from '../service.ts'
import { postgresBinaries, postgresPackage } from './postgres-binaries.ts'
import {
  checkPassword,
  createCluster,
  DATABASE,
  disarmPidFile,
  ENVIRONMENT,
  findLostServer,
  SUPERUSER,
  type Cluster,
} from './postgres-cluster.ts'

export type EmbeddedPostgresOptions = {
  /** Only this server's files; the account of local servers must be able to reach it (see `chooseHome`). */
  folder: string
  log: Log
  /** Settings of `postgresql.conf`. A server that already runs in the folder keeps those it was started with. */
  settings?: Readonly<Record<string, string>>
}

const ANSWER_PATIENCE_MS = 1000

const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  shared_buffers: '256MB',
  max_connections: '200',
  // Reports are many short statements; compiling each would cost more than running it.
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
}

/** Starts the server of the folder, or joins it if it runs. `stop` ends it when nobody else uses it. */
export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions,
): Promise<Service & { url: string }> {
  const { folder } = options
  const account = serverAccount()
  const bin = await postgresBinaries(postgresPackage(), account, SHARED_HOME)
  const data = join(folder, 'data')
  checkPassword({ folder, data })
  const cluster = { folder, data, bin, account, password: await secretIn(folder) }
  const server = await startLocalServer(programOf(cluster, options))
  return { url: urlOf(cluster, server.port, DATABASE), stop: () => server.stop() }
}

function programOf(cluster: Cluster, { log, settings }: EmbeddedPostgresOptions): Program {
  const flags = Object.entries({ ...SETTINGS, ...settings }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ])
  return {
    title: 'the embedded PostgreSQL',
    folder: cluster.folder,
    log,
    account: cluster.account,
    prepare: async () => {
      disarmPidFile(cluster)
      await createCluster(cluster)
    },
    findLost: () => findLostServer(cluster),
    command: (port) => ({
      file: join(cluster.bin, 'postgres'),
      args: ['-D', cluster.data, '-p', String(port), ...flags],
      env: ENVIRONMENT,
    }),
    answers: (port) => answers(cluster, port),
    // Fast; then immediate, which leaves a recovery to the next start; then without a choice.
    stopSignals: ['SIGINT', 'SIGQUIT', 'SIGKILL'],
  }
}

async function answers(cluster: Cluster, port: number): Promise<boolean> {
  const client = new Client({
    connectionString: urlOf(cluster, port, DATABASE),
    connectionTimeoutMillis: ANSWER_PATIENCE_MS,
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => undefined)
  }
}

function urlOf({ password }: Cluster, port: number, database: string): string {
  return `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/${database}`
}
