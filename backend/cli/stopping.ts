// How the program ends before its work does.
import { once } from 'node:events'
import type { Log } from '../engine/log.ts'
import type { Service } from '../engine/service.ts'

const SIGNALS = ['SIGTERM', 'SIGINT'] as const

/** Does the work while SIGTERM and SIGINT only resolve `stopped`. A second one of the same kind ends the process at once. */
export async function untilStopped<T>(
  work: (stopped: Promise<'stopped'>) => Promise<T>,
): Promise<T> {
  const listening = new AbortController()
  const stopped = Promise.race(
    SIGNALS.map((name) => once(process, name, { signal: listening.signal })),
  ).then(() => 'stopped' as const)
  // Nobody may be waiting for it any more when the work is done.
  stopped.catch(() => undefined)
  try {
    return await work(stopped)
  } finally {
    listening.abort()
  }
}

// Orchestrators commonly kill after ten seconds; then it is better that we choose what is cut.
const STOP_MS = 9500

/** Stops in the reverse order of starting, within ten seconds. */
export async function stopInTime(
  { engine, resources, log }: { engine: Service; resources: Service; log: Log },
  server?: Service,
): Promise<void> {
  const timer = setTimeout(() => {
    log.error('Not everything stopped in time.')
    process.exit(1)
  }, STOP_MS)
  await Promise.all([server?.stop(), engine.stop()])
  await resources.stop()
  clearTimeout(timer)
}
