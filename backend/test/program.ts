// The real program, in a process of its own.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const PROGRAM = join(import.meta.dirname, '../cli/prewarm.mjs')

export type Ended = { code: number | null; stdout: string; stderr: string }

export type Program = {
  child: ChildProcess
  /** Resolves when the program has printed something that matches, to whichever output; rejects if it ends before. */
  prints(pattern: RegExp): Promise<RegExpExecArray>
  ended: Promise<Ended>
}

export type Environment = Readonly<Record<string, string | undefined>>

/** Starts `prewarm ARGS`. It sees these variables and, of ours, only where programs are found. */
export function startProgram(args: readonly string[], env: Environment): Program {
  // oxlint-disable-next-line node/no-process-env -- the only variable that the program needs of ours
  const { PATH } = process.env
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env: { PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (piece) => (said[name] += String(piece)))
  }
  const ended = once(child, 'close').then(([code]): Ended => ({ code, ...said }))
  return { child, ended, prints: (pattern) => printed(child, pattern, () => said) }
}

export function runProgram(args: readonly string[], env: Environment): Promise<Ended> {
  return startProgram(args, env).ended
}

function printed(
  child: ChildProcess,
  pattern: RegExp,
  said: () => { stdout: string; stderr: string },
): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      const { stdout, stderr } = said()
      const found = pattern.exec(`${stdout}\n${stderr}`)
      if (found) resolve(found)
    }
    child.stdout?.on('data', look)
    child.stderr?.on('data', look)
    child.on('close', () => reject(new Error(`It ended without ${pattern}: ${said().stderr}`)))
    look()
  })
}
