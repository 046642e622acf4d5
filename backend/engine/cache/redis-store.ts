// Entries in Redis, under the plain keys that the reports name.
/* oxlint-disable typescript/no-unsafe-type-assertion -- a reply is what its command, or the comment of its script, says. */
import { randomUUID } from 'node:crypto'
import type { ChainableCommander } from 'ioredis'
import { decodeEntry, decodeHeader, encodeEntry, type Entry, type EntryId } from './entry.ts'
import type { EntryHeader, Epochs } from './entry.ts'
import {
  connectRedis,
  type RedisConnection,
  type RedisConnectionOptions,
} from './redis-connection.ts'
import { epochKey, epochKeys, keySet, leaseKey, REPORT_SETS, versionKey } from './redis-keys.ts'
import type { scripts } from './redis-scripts.ts'
import type { BustTarget, Claim, ClaimResult } from './store.ts'
import type { Found, Store, VersionId, Write, WriteResult } from './store.ts'

export type RedisStoreOptions = RedisConnectionOptions & {
  /** The longest that any entry lives; epochs and sets of keys outlive it. */
  maxLifetimeMs: number
}

type Parts = Pick<RedisConnection, 'run' | 'insist' | 'takeBack'> & { outliveMs: number }

const HEADER_BYTES = 1024
const SWEEP_KEYS = 500
const MOVE_KEYS = 1000

/** Resolves when Redis answers, or after a moment when it does not: the store then works as soon as it does. */
export async function createRedisStore(options: RedisStoreOptions): Promise<Store> {
  const { stop, ...connection } = await connectRedis(options)
  const parts = { ...connection, outliveMs: 2 * options.maxLifetimeMs }
  return {
    kind: 'redis',
    read: (ids) => read(parts, ids),
    peek: (ids) => peek(parts, ids),
    claim: (ids, leaseMs) => claim(parts, ids, leaseMs),
    renew: (claims, leaseMs) => renew(parts, claims, leaseMs),
    write: (writes) => write(parts, writes),
    release: (claims) => release(parts, claims),
    move: (versions) => move(parts, versions),
    bust: (target) => bust(parts, target),
    ping: () => ping(parts),
    stop: async () => stop(),
  }
}

async function read(parts: Parts, ids: readonly EntryId[]): Promise<Found<Entry>[]> {
  return find(parts, ids, decodeEntry, (pipeline, key) => pipeline.getBuffer(key))
}

async function peek(parts: Parts, ids: readonly EntryId[]): Promise<Found<EntryHeader>[]> {
  return find(parts, ids, decodeHeader, (pipeline, key) =>
    pipeline.getrangeBuffer(key, 0, HEADER_BYTES - 1),
  )
}

// Epochs and versions are looked at last, so that an entry that is busted meanwhile is missing; and once for all of the
// entries, which share most of the epochs.
async function find<Part>(
  { run }: Parts,
  ids: readonly EntryId[],
  decode: (bytes: Buffer) => Part | undefined,
  get: (pipeline: ChainableCommander, key: string) => unknown,
): Promise<Found<Part>[]> {
  if (ids.length === 0) return []
  const names = [...new Set(ids.flatMap((id) => [...epochKeys(id), versionKey(id)]))]
  const replies = await run((pipeline) => {
    for (const { key } of ids) get(pipeline, key)
    pipeline.mget(...names)
  })
  const values = replies.at(-1) as (string | null)[]
  const byName = new Map(names.map((name, i) => [name, values[i]]))
  const valueOf = (name: string): string | null => byName.get(name) ?? null
  return ids.map((id, i) => {
    const bytes = replies[i]
    const part = Buffer.isBuffer(bytes) ? decode(bytes) : undefined
    const [tenant, report, all] = epochKeys(id)
    const version = valueOf(versionKey(id))
    return { part, epochs: [valueOf(tenant), valueOf(report), valueOf(all)], version }
  })
}

async function claim(
  { run, takeBack, outliveMs }: Parts,
  ids: readonly EntryId[],
  leaseMs: number,
): Promise<ClaimResult[]> {
  const wanted = ids.map((id) => ({ id, token: randomUUID() }))
  const replies = await run((pipeline) => {
    for (const { id, token } of wanted) {
      const keys = [leaseKey(id), ...epochKeys(id), versionKey(id)]
      callScript(pipeline, 'prewarmClaim', [...keys, token, leaseMs, randomUUID(), outliveMs])
    }
  }).catch((error: unknown) => {
    // A lease that nobody knows he holds would keep everybody from computing these entries.
    takeBack((pipeline) => wanted.forEach((lease) => addRelease(pipeline, lease)))
    throw error
  })
  return wanted.map((lease, i) => {
    const [won, tenant, report, all, version] = replies[i] as [number, ...Epochs, string]
    return won === 1 ? { ...lease, epochs: [tenant, report, all], version } : 'held'
  })
}

async function renew({ run }: Parts, claims: readonly Claim[], leaseMs: number): Promise<void> {
  await run((pipeline) => {
    for (const { id, token } of claims)
      callScript(pipeline, 'prewarmRenew', [leaseKey(id), token, leaseMs])
  })
}

async function write({ run, outliveMs }: Parts, writes: readonly Write[]): Promise<WriteResult[]> {
  const replies = await run((pipeline) => {
    for (const {
      claim: { id, token, epochs, version },
      entry,
      lifetimeMs,
    } of writes) {
      const sets = [keySet({ tenant: id.tenant }), keySet({ report: id.report }), REPORT_SETS]
      const keys = [id.key, leaseKey(id), ...epochKeys(id), versionKey(id), ...sets]
      const bytes = encodeEntry(entry)
      callScript(pipeline, 'prewarmWrite', [
        ...keys,
        token,
        bytes,
        lifetimeMs,
        ...epochs,
        version,
        outliveMs,
      ])
    }
  })
  return replies as WriteResult[]
}

async function release({ run }: Parts, claims: readonly Claim[]): Promise<void> {
  await run((pipeline) => claims.forEach((lease) => addRelease(pipeline, lease)))
}

function addRelease(
  pipeline: ChainableCommander,
  { id, token }: Pick<Claim, 'id' | 'token'>,
): void {
  callScript(pipeline, 'prewarmRelease', [leaseKey(id), token])
}

// A version that is not there counts as moved, and the next claim starts a new one. In portions, as sweeping.
async function move({ insist }: Parts, versions: readonly VersionId[]): Promise<void> {
  for (let i = 0; i < versions.length; i += MOVE_KEYS) {
    const keys = versions.slice(i, i + MOVE_KEYS).map(versionKey)
    await insist((pipeline) => pipeline.unlink(...keys))
  }
}

async function bust({ run, outliveMs }: Parts, target: BustTarget): Promise<number> {
  await run((pipeline) => pipeline.set(epochKey(target), randomUUID(), 'PX', outliveMs))
  const [allSets] = target === 'all' ? await run((pipeline) => pipeline.smembers(REPORT_SETS)) : []
  const sets = target === 'all' ? (allSets as string[]) : [keySet(target)]
  let dropped = 0
  for (const set of sets) dropped += await sweep(run, set)
  return dropped
}

// In portions, so that dropping a million entries does not hold up everybody else's reads.
async function sweep(run: Parts['run'], set: string): Promise<number> {
  let dropped = 0
  for (;;) {
    const [reply] = await run((pipeline) => callScript(pipeline, 'prewarmSweep', [set, SWEEP_KEYS]))
    const [taken, gone] = reply as [number, number]
    dropped += gone
    if (taken < SWEEP_KEYS) return dropped
  }
}

async function ping({ run }: Parts): Promise<number> {
  const start = performance.now()
  await run((pipeline) => pipeline.ping())
  return performance.now() - start
}

// ioredis gives a pipeline a method for each script, of which its types know nothing.
function callScript(
  pipeline: ChainableCommander,
  script: keyof typeof scripts,
  args: (string | number | Buffer)[],
): void {
  const methods = pipeline as unknown as Record<string, (...values: unknown[]) => unknown>
  methods[script]?.(...args)
}
