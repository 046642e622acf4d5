// The store for one process without a Redis. The same contract, so what is tested on one holds on the other.
import { randomUUID } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
import type { Entry, EntryId, EpochNames, Epochs, Present } from './entry.ts'
import type { BustTarget, Claim, ClaimResult, Store } from './store.ts'
import type { VersionId, Write, WriteResult } from './store.ts'

export type MemoryStoreOptions = {
  /** The least recently used entries go when their bodies exceed this. */
  maxBytes: number
  clock: Clock
}

type Held = { id: EntryId; entry: Entry; until: number }
type Lease = { token: string; until: number }

type Memory = {
  entries: LRUCache<string, Held>
  leases: Map<string, Lease>
  epochs: Map<string, string>
  versions: Map<string, string>
  now: () => number
}

export function createMemoryStore({ maxBytes, clock }: MemoryStoreOptions): Store {
  const memory: Memory = {
    entries: new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: ({ entry }) => entry.body.length + 1,
    }),
    leases: new Map(),
    epochs: new Map(),
    versions: new Map(),
    now: () => clock().getTime(),
  }
  return {
    kind: 'memory',
    read: async (ids) => ids.map((id) => ({ part: find(memory, id), ...presentOf(memory, id) })),
    peek: async (ids) =>
      ids.map((id) => ({ part: find(memory, id)?.header, ...presentOf(memory, id) })),
    claim: async (ids, leaseMs) => ids.map((id) => claim(memory, id, leaseMs)),
    renew: async (claims, leaseMs) => claims.forEach((one) => renew(memory, one, leaseMs)),
    write: async (writes) => writes.map((one) => write(memory, one)),
    release: async (claims) => claims.forEach((one) => release(memory, one)),
    move: async (versions) => {
      for (const id of versions) memory.versions.delete(versionName(id))
    },
    bust: async (target) => bust(memory, target),
    ping: async () => 0,
    stop: async () => memory.entries.clear(),
  }
}

function find({ entries, now }: Memory, { key }: EntryId): Entry | undefined {
  const held = entries.get(key)
  return held && now() < held.until ? held.entry : undefined
}

function claim(memory: Memory, id: EntryId, leaseMs: number): ClaimResult {
  const { leases, now } = memory
  if (now() < (leases.get(id.key)?.until ?? 0)) return 'held'
  const token = randomUUID()
  leases.set(id.key, { token, until: now() + leaseMs })
  const version = startMissing(memory.versions, versionName(id))
  return { id, token, epochs: startMissingEpochs(memory, id), version }
}

function renew(memory: Memory, claimed: Claim, leaseMs: number): void {
  const { id, token } = claimed
  if (holdsLease(memory, claimed))
    memory.leases.set(id.key, { token, until: memory.now() + leaseMs })
}

function write(memory: Memory, { claim: claimed, entry, lifetimeMs }: Write): WriteResult {
  const { id, epochs, version } = claimed
  if (!holdsLease(memory, claimed)) return 'fenced'
  memory.leases.delete(id.key)
  if (epochsOf(memory, id).some((epoch, i) => epoch !== epochs[i])) return 'busted'
  memory.entries.set(id.key, { id, entry, until: memory.now() + lifetimeMs })
  return memory.versions.get(versionName(id)) === version ? 'written' : 'outdated'
}

function holdsLease({ leases, now }: Memory, { id, token }: Claim): boolean {
  const lease = leases.get(id.key)
  return lease?.token === token && now() < lease.until
}

function release({ leases }: Memory, { id, token }: Claim): void {
  if (leases.get(id.key)?.token === token) leases.delete(id.key)
}

function bust({ entries, epochs, now }: Memory, target: BustTarget): number {
  epochs.set(epochName(target), randomUUID())
  const doomed = [...entries.values()].filter(({ id }) => isMeant(target, id))
  for (const { id } of doomed) entries.delete(id.key)
  return doomed.filter(({ until }) => now() < until).length
}

function isMeant(target: BustTarget, id: EntryId): boolean {
  if (target === 'all') return true
  return 'tenant' in target ? id.tenant === target.tenant : id.report === target.report
}

function presentOf(memory: Memory, id: EntryId): Present {
  return { epochs: epochsOf(memory, id), version: memory.versions.get(versionName(id)) ?? null }
}

function epochsOf({ epochs }: Memory, id: EntryId): EpochNames {
  const [tenant, report, all] = epochNames(id)
  return [epochs.get(tenant) ?? null, epochs.get(report) ?? null, epochs.get(all) ?? null]
}

function startMissingEpochs({ epochs }: Memory, id: EntryId): Epochs {
  const [tenant, report, all] = epochNames(id)
  return [startMissing(epochs, tenant), startMissing(epochs, report), startMissing(epochs, all)]
}

function startMissing(names: Map<string, string>, of: string): string {
  const name = names.get(of) ?? randomUUID()
  names.set(of, name)
  return name
}

function epochNames({ tenant, report }: EntryId): [string, string, string] {
  return [epochName({ tenant }), epochName({ report }), epochName('all')]
}

function epochName(target: BustTarget): string {
  if (target === 'all') return 'all'
  return 'tenant' in target ? `tenant ${target.tenant}` : `report ${target.report}`
}

function versionName({ tenant, report }: VersionId): string {
  return `${report} ${tenant}`
}
