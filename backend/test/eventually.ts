import { vi } from 'vitest'

/** Resolves when `work` does, however busy the machine is; rejects with its last error after ten seconds. */
export function eventually<T>(work: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(work, { timeout: 10_000, interval: 25 })
}
