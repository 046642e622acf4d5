// How the program ends before its work does.
import type { Log } from '../engine/log.ts'
import type { Service } from '../engine/service.ts'

/** Resolves at the first SIGTERM or SIGINT. A second one of the same kind ends the process at once. */
export function untilStopped(): Promise<'stopped'> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => resolve('stopped'))
    }
  })
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
