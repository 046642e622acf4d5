// One detached process: how it starts and how it ends.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { SECOND } from '../clock.ts'
import type { Account } from './home.ts'
import { isRunning } from './process-start.ts'

export type Command = { file: string; args: readonly string[]; env?: Record<string, string> }

const POLL_MS = 20
const STOP_PATIENCE_MS = 10 * SECOND

/**
 * Starts a program that outlives us, and returns its pid; rejects if it cannot be run at all. It leads its own
 * process group, so that a Ctrl-C meant for us does not end it while we still finish our work.
 */
export async function spawnDetached(
  { file, args, env }: Command,
  { cwd, output, account }: { cwd: string; output: number; account: Account | undefined },
): Promise<number> {
  const child = spawn(file, args, {
    cwd,
    detached: true,
    stdio: ['ignore', output, output],
    ...(env === undefined ? {} : { env }),
    ...identityOf(account),
  })
  child.unref()
  await once(child, 'spawn')
  return child.pid ?? 0
}

/** The options that make a child process run as the account. */
export function identityOf(account: Account | undefined): { uid?: number; gid?: number } {
  return account === undefined ? {} : { uid: account.uid, gid: account.gid }
}

type Ending = { signals: readonly NodeJS.Signals[]; patienceMs?: number }

/** Sends the signals, each when the one before was not followed for ten seconds. Returns whether the process ended. */
export async function endProcess(
  running: { pid: number; start: string },
  { signals, patienceMs = STOP_PATIENCE_MS }: Ending,
): Promise<boolean> {
  for (const signal of signals) {
    if (!isRunning(running)) return true
    process.kill(running.pid, signal)
    if (await endsInTime(running, patienceMs)) return true
  }
  return !isRunning(running)
}

async function endsInTime(
  running: { pid: number; start: string },
  patienceMs: number,
): Promise<boolean> {
  const deadline = Date.now() + patienceMs
  while (isRunning(running) && Date.now() < deadline) await sleep(POLL_MS)
  return !isRunning(running)
}

/** A port of the loopback interface that nobody listens on; somebody else may take it the next moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  await once(server.close(), 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}
