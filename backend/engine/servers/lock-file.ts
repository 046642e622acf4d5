// One process at a time, by a file that only one of them can create. It names its holder, so that the
// lock of a process that was killed does not lock everybody out for ever.
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import * as z from 'zod'
import { PrewarmError } from '../errors.ts'
import { MINUTE, SECOND } from '../clock.ts'
import { isRunning, processStart } from './process-start.ts'

const HOLDER = z.object({ pid: z.number(), start: z.string() })

const POLL_MS = 20
const PATIENCE_MS = 10 * MINUTE
// Writing or breaking a lock takes microseconds; what is older than this was left by a crash in between.
const LEFTOVER_MS = 5 * SECOND

/** Runs `work` while no other holder of `path` runs. Waits for the others, for up to ten minutes. */
export async function underLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS
  while (!create(path)) {
    if (Date.now() > deadline) throw tired(path)
    if (isStale(path)) breakLock(path)
    await sleep(POLL_MS)
  }
  try {
    return await work()
  } finally {
    rmSync(path, { force: true })
  }
}

function create(path: string): boolean {
  try {
    const start = processStart(process.pid) ?? ''
    writeFileSync(path, JSON.stringify({ pid: process.pid, start }), { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

// Of two processes that find the same stale lock, the slower one could remove the new lock of the
// faster one. So breaking is under a lock too, and looks again.
function breakLock(path: string): void {
  const breaking = `${path}.breaking`
  if (isLeftover(breaking)) rmSync(breaking, { force: true })
  if (!create(breaking)) return
  if (isStale(path)) rmSync(path, { force: true })
  rmSync(breaking, { force: true })
}

function isStale(path: string): boolean {
  const holder = read(path)
  return holder === undefined ? isLeftover(path) : !isRunning(holder)
}

function read(path: string): z.infer<typeof HOLDER> | undefined {
  try {
    return HOLDER.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    return undefined
  }
}

function isLeftover(path: string): boolean {
  try {
    return Date.now() - statSync(path).mtimeMs > LEFTOVER_MS
  } catch {
    return false
  }
}

function tired(path: string): PrewarmError {
  const holder = read(path)
  return new PrewarmError(
    'unavailable',
    `The process ${holder?.pid ?? '(unknown)'} has held the lock ${path} for too long. End it, or remove the file.`,
  )
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
