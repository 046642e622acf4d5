import type { Claim, Store } from './store.ts'

// Two renewals may be lost on the way.
const RENEWALS_PER_LEASE = 3

/**
 * Keeps the leases of `claims` while `work` goes on. So a lease can be short, and a holder that dies, or loses its way to the
 * store, holds nobody up for longer than that.
 */
export async function whileLeased<T>(
  store: Store,
  claims: readonly Claim[],
  leaseMs: number,
  work: () => Promise<T>,
): Promise<T> {
  if (claims.length === 0) return work()
  const renewal = setInterval(() => {
    store.renew(claims, leaseMs).catch(() => undefined)
  }, leaseMs / RENEWALS_PER_LEASE)
  return work().finally(() => clearInterval(renewal))
}
