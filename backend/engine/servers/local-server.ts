// A server program of our own on this machine, shared by every process that uses the same folder.
//
//   absent ── start ──▸ running, with users ── the last user stops ──▸ absent
//                          │        ▴
//         all users killed │        │ start joins it
//                          ▾        │
//                       running, without users
//
// A server that was killed is absent; the next start runs it again, on the same port if that is free.
import { closeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { PrewarmError } from '../errors.ts'
import { MINUTE } from '../clock.ts'
import { canReach, type Account } from './home.ts'
import { isRunning, processStart } from './process-start.ts'
import type { Log } from '../log.ts'
import { openServerFolder, type Running, type ServerFolder } from './server-folder.ts'
import { endProcess, freePort, spawnDetached, type Command } from './server-process.ts'
import type { Service } from '../service.ts'

export type Program = {
  title: string
  folder: string
  log: Log
  account: Account | undefined
  /** Makes what the program needs before it starts. Called under the lock, while the server does not run. */
  prepare(): Promise<void>
  /** A running server of this folder that `server.json` does not name, because its starter died in between. */
  findLost?(): Running | undefined
  command(port: number): Command
  /** Whether this folder's server, and no other, answers on the port. */
  answers(port: number): Promise<boolean>
  /** The polite one first. */
  stopSignals: readonly NodeJS.Signals[]
}

const POLL_MS = 20
// A server that was killed may have much to recover. One that fails ends, which is noticed at once.
const START_PATIENCE_MS = 5 * MINUTE
// Lost the race for a port; or children of a killed server are just noticing that it is gone.
const PASSING_FAILURE = /address already in use|shared memory block .* is still in use/i
const ATTEMPTS = 20
const ATTEMPT_PAUSE_MS = 250

/** Starts the program, or joins the one that already runs in its folder. `stop` leaves it to its other users. */
export async function startLocalServer(program: Program): Promise<Service & { port: number }> {
  if (!canReach(program.account, program.folder)) throw unreachable(program)
  const folder = openServerFolder(program.folder)
  const { server, user } = await folder.underLock(async () => ({
    server: (await join(program, folder)) ?? (await launch(program, folder)),
    user: folder.addUser(),
  }))
  const leave = async () => {
    user.remove()
    if (!folder.hasUsers()) await end(program, folder, server)
  }
  let stopped: Promise<void> | undefined
  return { port: server.port, stop: () => (stopped ??= folder.underLock(leave)) }
}

async function join(program: Program, folder: ServerFolder): Promise<Running | undefined> {
  const server = [folder.readServer(), program.findLost?.()].find(isAlive)
  if (server === undefined) return undefined
  if (await answersInTime(program, server)) {
    folder.writeServer(server)
    program.log.info(`Joined ${program.title}, which was running.`, details(program, server))
    return server
  }
  await endServer(program, server)
  return undefined
}

function isAlive(server: Running | undefined): boolean {
  return server !== undefined && isRunning(server)
}

async function launch(program: Program, folder: ServerFolder): Promise<Running> {
  await program.prepare()
  // Users of a server that died still know its port, so the next one takes it if it can.
  let port = folder.readServer()?.port ?? (await freePort())
  for (let attempt = 1; ; attempt += 1) {
    const server = await tryLaunch(program, folder, port)
    if (server !== undefined) return server
    const said = folder.lastLogLines()
    if (attempt === ATTEMPTS || !PASSING_FAILURE.test(said)) throw failed(program, said)
    await sleep(ATTEMPT_PAUSE_MS)
    port = await freePort()
  }
}

async function tryLaunch(
  program: Program,
  folder: ServerFolder,
  port: number,
): Promise<Running | undefined> {
  const pid = await run(program, folder, port)
  const start = processStart(pid)
  if (start === undefined) return undefined
  const server = { pid, start, port }
  folder.writeServer(server)
  if (await answersInTime(program, server)) {
    program.log.info(`Started ${program.title}.`, details(program, server))
    return server
  }
  await endServer(program, server)
  return undefined
}

async function run(program: Program, folder: ServerFolder, port: number): Promise<number> {
  const command = program.command(port)
  const output = folder.openLog()
  const { account, folder: cwd, title } = program
  try {
    return await spawnDetached(command, { cwd, output, account })
  } catch (cause) {
    const message = `${command.file}, the program of ${title}, cannot be run.`
    throw new PrewarmError('bad_configuration', message, { cause })
  } finally {
    closeSync(output)
  }
}

async function answersInTime(program: Program, server: Running): Promise<boolean> {
  const deadline = Date.now() + START_PATIENCE_MS
  while (isRunning(server) && Date.now() < deadline) {
    if (await program.answers(server.port)) return isRunning(server)
    await sleep(POLL_MS)
  }
  return false
}

async function end(program: Program, folder: ServerFolder, known: Running): Promise<void> {
  const server = folder.readServer() ?? known
  await endServer(program, server)
  folder.forgetServer()
  program.log.info(`Stopped ${program.title}.`, details(program, server))
}

async function endServer(program: Program, server: Running): Promise<void> {
  if (await endProcess(server, { signals: program.stopSignals })) return
  const message = `Could not end ${program.title}, the process ${server.pid}.`
  throw new PrewarmError('unavailable', message)
}

function details({ folder }: Program, { pid, port }: Running): { [detail: string]: unknown } {
  return { folder, pid, port }
}

function unreachable({ title, folder, account }: Program): PrewarmError {
  return new PrewarmError(
    'bad_configuration',
    `As root, ${title} runs as the user "${account?.name}", who cannot enter ${folder}. Choose another folder.`,
  )
}

function failed({ title }: Program, said: string): PrewarmError {
  return new PrewarmError('unavailable', `Could not start ${title}. It said:\n${said}`)
}
