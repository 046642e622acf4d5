// What the cache asks of the place where entries lie. Two stores keep this contract, and pass the same
// conformance suite: Redis, shared by all processes, and one inside the process.
import type { Entry, EntryHeader, EntryId, Epochs, Present } from './entry.ts'

export type Found<Part> = Present & { part: Part | undefined }

/**
 * The right to compute and write one entry until the lease ends, or is renewed no more. `token` fences: a write whose token
 * is no longer the lease's is refused, so a holder that slept through its lease cannot overwrite the work of the next one.
 */
export type Claim = { id: EntryId; token: string; epochs: Epochs; version: string }

/** `held`: somebody else is computing this entry. */
export type ClaimResult = Claim | 'held'

/**
 * `outdated`: written, and stale at once, because the version moved after the claim. `fenced`: the lease was lost. `busted`: the
 * entry was busted after the claim. In these two cases nothing was written.
 */
export type WriteResult = 'written' | 'outdated' | 'fenced' | 'busted'

export type Write = { claim: Claim; entry: Entry; lifetimeMs: number }

/** Names a version. */
export type VersionId = Pick<EntryId, 'tenant' | 'report'>

export type BustTarget = { tenant: string } | { report: string } | 'all'

/** Every method rejects with a PrewarmError `unavailable` when the store cannot be reached in time. */
export type Store = {
  readonly kind: 'redis' | 'memory'
  read(ids: readonly EntryId[]): Promise<Found<Entry>[]>
  /** As `read`, without fetching the bodies. */
  peek(ids: readonly EntryId[]): Promise<Found<EntryHeader>[]>
  claim(ids: readonly EntryId[], leaseMs: number): Promise<ClaimResult[]>
  /** Lets leases that are still held end `leaseMs` from now. */
  renew(claims: readonly Claim[], leaseMs: number): Promise<void>
  /** Writes and gives the leases back. */
  write(writes: readonly Write[]): Promise<WriteResult[]>
  /** Gives leases back without writing. */
  release(claims: readonly Claim[]): Promise<void>
  /** Makes every entry of these tenants' reports stale, those too that are being computed. */
  move(versions: readonly VersionId[]): Promise<void>
  /** Drops entries, and returns how many there were. */
  bust(target: BustTarget): Promise<number>
  /** Round trip in milliseconds. */
  ping(): Promise<number>
  stop(): Promise<void>
}
