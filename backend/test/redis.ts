import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect as connectSocket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { testFolder } from './folder.ts'
import { processStart, openServerFolder, freePort } from '../engine/servers/index.ts'

/** A real Redis of your own, which can be killed, started again on its port, and made to hang. */
export type TestRedis = {
  url: string
  port: number
  /** Ends it for good and removes its folder. */
  stop(): Promise<void>
  /** As a crash does; resolves when it is gone. */
  kill(): Promise<void>
  /** Again on the same port, empty. */
  start(): Promise<void>
  /** It keeps its connections and answers nothing. */
  pause(): void
  resume(): void
}

const POLL_MS = 10
const START_PATIENCE_MS = 10_000

export async function testRedis(): Promise<TestRedis> {
  const binary = findBinary()
  const folder = await testFolder()
  const port = await freePort()
  let server = await launch(binary, folder.path, port)
  const kill = () => end(server, 'SIGKILL')
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    stop: async () => {
      await kill()
      await folder.remove()
    },
    kill,
    start: async () => {
      if (hasEnded(server)) server = await launch(binary, folder.path, port)
    },
    pause: () => void server.kill('SIGSTOP'),
    resume: () => void server.kill('SIGCONT'),
  }
}

function findBinary(): string {
  const found = ['redis-server', 'valkey-server'].find(isOnPath)
  if (found !== undefined) return found
  throw new Error('This test needs `redis-server` or `valkey-server` on the PATH. Install either.')
}

function isOnPath(name: string): boolean {
  try {
    execFileSync(name, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

async function launch(binary: string, folder: string, port: number): Promise<ChildProcess> {
  const place = ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder]
  const server = spawn(binary, [...place, '--save', '', '--appendonly', 'no'], { stdio: 'ignore' })
  const endWithUs = () => server.kill('SIGKILL')
  process.once('exit', endWithUs)
  server.once('exit', () => process.off('exit', endWithUs))
  leaveTrace(server, folder, port)
  const deadline = Date.now() + START_PATIENCE_MS
  while (!(await accepts(port))) {
    if (hasEnded(server) || Date.now() > deadline) throw new Error(`${binary} did not start.`)
    await sleep(POLL_MS)
  }
  return server
}

// So that the next run finds and ends it if this one is killed.
function leaveTrace({ pid = 0 }: ChildProcess, folder: string, port: number): void {
  openServerFolder(folder).writeServer({ pid, start: processStart(pid) ?? '', port })
}

async function accepts(port: number): Promise<boolean> {
  const socket = connectSocket(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

async function end(server: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (hasEnded(server)) return
  const ended = once(server, 'exit')
  server.kill(signal)
  await ended
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}
