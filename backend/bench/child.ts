// Each side of a benchmark is a process of its own, so that neither inherits the other's memory or compiled code.
import { execFile, spawn } from 'node:child_process'
import { on, once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import type { ServerSettings } from './servers.ts'

const BACKEND = join(import.meta.dirname, '..')

/** Runs a program of this package, and gives what it printed. */
export async function runProgram(
  file: string,
  args: readonly string[],
  settings: ServerSettings,
): Promise<string> {
  const command = ['--import', 'tsx', join(BACKEND, file), ...args]
  const { stdout } = await promisify(execFile)(process.execPath, command, {
    cwd: BACKEND,
    env: settings,
  })
  return stdout
}

/** For programs that print one JSON value. */
export async function figuresOf<Figures>(
  file: string,
  args: readonly string[],
  settings: ServerSettings,
): Promise<Figures> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the caller knows the program that it runs
  return JSON.parse(await runProgram(file, args, settings)) as Figures
}

export type RunningServer<Printed> = { printed: Printed; stop(): Promise<void> }

/** Starts a server of this package that prints one line of JSON when it listens; what else it prints is dropped. */
export async function startServer<Printed>(
  file: string,
  args: readonly string[],
  settings: Readonly<Record<string, string>>,
): Promise<RunningServer<Printed>> {
  const command = ['--import', 'tsx', join(BACKEND, file), ...args]
  const child = spawn(process.execPath, command, {
    cwd: BACKEND,
    env: settings,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
  const printed = await firstJson<Printed>(child.stdout)
  child.stdout.resume()
  return { printed, stop }
}

async function firstJson<Printed>(output: Readable): Promise<Printed> {
  for await (const [line] of on(createInterface(output), 'line', { close: ['close'] })) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the caller knows the program that it runs
    if (String(line).startsWith('{')) return JSON.parse(String(line)) as Printed
  }
  throw new Error('The server ended before it listened.')
}
