// What the folder of a local server holds besides the server's own files: `server.json` names the server that
// runs, `users/` one file per user, `lock` whoever is starting or stopping, `server.log` what the server said.
import { randomBytes } from 'node:crypto'
import {
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { makeEnterable } from './home.ts'
import { underLock } from './lock-file.ts'
import { isRunning, processStart } from './process-start.ts'

const RUNNING = z.object({ pid: z.number(), start: z.string(), port: z.number() })

export type Running = z.infer<typeof RUNNING>

export type ServerFolder = ReturnType<typeof openServerFolder>

const LOG_LINES_IN_ERRORS = 12

export function openServerFolder(folder: string) {
  const record = join(folder, 'server.json')
  const users = join(folder, 'users')
  makeEnterable(users)
  return {
    underLock: <T>(work: () => Promise<T>) => underLock(join(folder, 'lock'), work),
    readServer: () => readServer(record),
    writeServer: (server: Running) => writeOurs(record, JSON.stringify(server)),
    forgetServer: () => rmSync(record, { force: true }),
    addUser: () => addUser(users),
    hasUsers: () => hasUsers(users),
    openLog: () => openLog(folder),
    lastLogLines: () => lastLogLines(folder),
  }
}

function readServer(path: string): Running | undefined {
  try {
    return RUNNING.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    return undefined
  }
}

function addUser(users: string): { remove: () => void } {
  const path = join(users, `${process.pid}-${randomBytes(4).toString('hex')}`)
  writeOurs(path, processStart(process.pid) ?? '')
  return { remove: () => rmSync(path, { force: true }) }
}

function hasUsers(users: string): boolean {
  const paths = readdirSync(users).map((name) => join(users, name))
  const dead = paths.filter((path) => !isUserAlive(path))
  for (const path of dead) rmSync(path, { force: true })
  return dead.length < paths.length
}

function isUserAlive(path: string): boolean {
  const pid = Number.parseInt(path.slice(path.lastIndexOf('/') + 1), 10)
  return isRunning({ pid, start: readFileSync(path, 'utf8') })
}

function openLog(folder: string): number {
  const path = join(folder, 'server.log')
  if (existsSync(path)) renameSync(path, join(folder, 'server.previous.log'))
  return openSync(path, 'a', 0o600)
}

function lastLogLines(folder: string): string {
  const lines = readFileSync(join(folder, 'server.log'), 'utf8').trimEnd().split('\n')
  return lines.slice(-LOG_LINES_IN_ERRORS).join('\n')
}

/** The generated secret of a server, which only our own user can read; made the first time it is asked for. */
export async function secretIn(folder: string): Promise<string> {
  const path = join(folder, 'password')
  return openServerFolder(folder).underLock(async () => {
    if (!existsSync(path)) writeOurs(path, randomBytes(24).toString('hex'))
    return readFileSync(path, 'utf8')
  })
}

function writeOurs(path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o600 })
}
