import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { testFolder } from '../../test/folder.ts'
import { testLog } from '../../test/log.ts'
import { serverUser } from '../../test/server-user.ts'
import {
  commandLine,
  processStart,
  serverAccount,
  openServerFolder,
  type Running,
  identityOf,
} from '../servers/index.ts'
import { startEmbeddedPostgres } from './embedded-postgres.ts'

type Server = Awaited<ReturnType<typeof startEmbeddedPostgres>>

let folder: Awaited<ReturnType<typeof testFolder>>
let stops: (() => Promise<unknown>)[]

// Making a database takes a second, so most tests share one and only its server comes and goes.
beforeAll(async () => {
  folder = await testFolder()
})

beforeEach(() => {
  stops = []
})

afterEach(async () => {
  await Promise.all(stops.map((stop) => stop()))
  const left = openServerFolder(folder.path).readServer()
  if (left !== undefined && isAlive(left.pid))
    throw new Error(`The server ${left.pid} was left behind.`)
})

afterAll(() => folder.remove())

test('a started server has a database, on loopback alone, for those who know the password', async () => {
  const { url } = await start()
  expect(await ask(url, 'select current_database()')).toBe('prewarm')
  expect(await ask(url, 'show listen_addresses')).toBe('127.0.0.1')
  expect(await ask(url, 'show unix_socket_directories')).toBe('')
  const guess = new URL(url)
  guess.password = 'guess'
  await expect(ask(guess.href, 'select 1')).rejects.toThrow('password authentication failed')
})

test('nobody else can read the data, the password or the log, nor see the password in a process list', async () => {
  const { url } = await start()
  expect(modeOf('data')).toBe(0o700)
  expect(modeOf('password')).toBe(0o600)
  expect(modeOf('server.log')).toBe(0o600)
  expect(commandLine(runningServer().pid)).not.toContain(new URL(url).password)
})

test('a server whose only user was killed, process group and all, is joined by the next one', async () => {
  const user = await serverUser('postgres', folder.path)
  const { pid } = runningServer()
  await user.kill()
  const { url } = await start()
  expect(url).toBe(user.url)
  expect(runningServer().pid).toBe(pid)
})

test('a killed server starts again on its port and has what was committed', async () => {
  const first = await start()
  await ask(first.url, 'create table if not exists kept as select 42 as answer')
  process.kill(runningServer().pid, 'SIGKILL')
  const second = await start()
  expect(second.url).toBe(first.url)
  expect(await ask(second.url, 'select answer from kept')).toBe(42)
})

test('a server whose port somebody else took meanwhile starts again on another', async () => {
  const first = await start()
  const { port, pid } = runningServer()
  process.kill(pid, 'SIGKILL')
  await expect.poll(() => isAlive(pid)).toBe(false)
  const other = createServer().listen(port, '127.0.0.1')
  await once(other, 'listening')
  const second = await start()
  other.close()
  expect(second.url).not.toBe(first.url)
  expect(await ask(second.url, 'select 1')).toBe(1)
})

test('the last of two users stops the server', async () => {
  const mine = await start()
  const other = await serverUser('postgres', folder.path)
  const { pid } = runningServer()
  await mine.stop()
  expect(isAlive(pid)).toBe(true)
  await other.leave()
  expect(isAlive(pid)).toBe(false)
})

test('a user that was killed does not keep the last one from stopping the server', async () => {
  const other = await serverUser('postgres', folder.path)
  const mine = await start()
  const { pid } = runningServer()
  await other.kill()
  await mine.stop()
  expect(isAlive(pid)).toBe(false)
  expect(readdirSync(join(folder.path, 'users'))).toEqual([])
})

test('two uses by one process count as two users, and stopping one twice as once', async () => {
  const first = await start()
  const second = await start()
  await Promise.all([first.stop(), first.stop()])
  expect(await ask(second.url, 'select 1')).toBe(1)
})

test('processes that start at the same instant make one database and share one server', async () => {
  const fresh = await testFolder()
  const users = await Promise.all([1, 2].map(() => serverUser('postgres', fresh.path)))
  expect(new Set(users.map(({ url }) => url)).size).toBe(1)
  expect(await ask(users[0]?.url ?? '', 'select 1')).toBe(1)
  await Promise.all(users.map((user) => user.leave()))
  await fresh.remove()
})

test('a server that no record names is found by its pid file', async () => {
  await start()
  const { pid } = runningServer()
  rmSync(join(folder.path, 'server.json'))
  await start()
  expect(runningServer().pid).toBe(pid)
})

test('a pid file with the pid of another program does not keep a server from starting', async () => {
  const { url } = await start()
  await ask(url, 'create table if not exists kept as select 42 as answer')
  const pidFile = join(folder.path, 'data', 'postmaster.pid')
  const [, ...rest] = readFileSync(pidFile, 'utf8').split('\n')
  // PostgreSQL leaves alone only what its own user runs.
  const program = ['--eval', 'setInterval(() => undefined, 1e6)']
  const other = spawn(process.execPath, program, identityOf(serverAccount()))
  process.kill(runningServer().pid, 'SIGKILL')
  writeFileSync(pidFile, [other.pid, ...rest].join('\n'))
  const again = await start().finally(() => other.kill())
  expect(await ask(again.url, 'select answer from kept')).toBe(42)
})

test('a server that cannot start tells what it said, and leaves no user', async () => {
  await expect(start({ shared_buffers: 'much' })).rejects.toThrow(
    /Could not start the embedded PostgreSQL[^]*invalid value for parameter "shared_buffers"/,
  )
  expect(readdirSync(join(folder.path, 'users'))).toEqual([])
})

test('a lost password is said at once instead of being replaced by one that does not fit', async () => {
  const server = await start()
  await server.stop()
  const path = join(folder.path, 'password')
  renameSync(path, `${path}.lost`)
  await expect(start()).rejects.toThrow(`${path} is missing`)
  renameSync(`${path}.lost`, path)
  await start()
})

async function start(settings: Record<string, string> = {}): Promise<Server> {
  const defaults = { fsync: 'off', shared_buffers: '16MB' }
  const { log } = testLog()
  const server = await startEmbeddedPostgres({
    folder: folder.path,
    log,
    settings: { ...defaults, ...settings },
  })
  stops.push(() => server.stop())
  return server
}

function runningServer(): Running {
  const server = openServerFolder(folder.path).readServer()
  if (server === undefined) throw new Error('There is no server.')
  return server
}

function isAlive(pid: number): boolean {
  return processStart(pid) !== undefined
}

function modeOf(name: string): number {
  return statSync(join(folder.path, name)).mode & 0o777
}

async function ask(connectionString: string, question: string): Promise<unknown> {
  const client = new Client({ connectionString })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rows } = await client.query<Record<string, unknown>>(question)
    return Object.values(rows[0] ?? {})[0]
  } finally {
    await client.end()
  }
}
