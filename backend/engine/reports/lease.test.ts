// One computation among several processes, which here are several `Reports` over one store.
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { testClock } from '../../test/clock.ts'
import { gate, type Gate } from '../../test/gate.ts'
import { probe, probeData, type Probe } from '../../test/probe.ts'
import { onlyReport, reportsOver } from '../../test/reports.ts'
import { createMemoryStore, type EntryId, type Store } from '../cache/index.ts'
import { HOUR, systemClock } from '../clock.ts'
import type { ReadResult, ReportRequest, Reports, ReportSettings } from './index.ts'
import { entryIdOf, wholeTenant } from './request.ts'
import { eventually } from '../../test/eventually.ts'

const SHORT_LEASE_MS = 200

const { clock, set: setTime } = testClock('2026-03-10T12:00:00Z')

let world: Probe
let store: Store
let tenantId: string
let before: number

beforeAll(async () => {
  world = await probe()
})
beforeEach(async () => {
  setTime('2026-03-10T12:00:00Z')
  store = createMemoryStore({ maxBytes: 1_000_000, clock: systemClock })
  ;[tenantId = ''] = await world.tenants(1)
  before = await world.computations()
})
afterAll(() => world.end())

const instance = (
  changed: Partial<Store> = {},
  settings: Partial<ReportSettings> = {},
): Promise<Reports> => {
  const own = { ...store, ...changed }
  return reportsOver({ db: world.db, domains: [world.domain], store: own, clock, settings })
}
const requestTo = (reports: Reports): ReportRequest => ({
  report: onlyReport(reports),
  scope: wholeTenant(tenantId),
  variant: null,
})
const read = async (process: Promise<Reports>): Promise<ReadResult> => {
  const reports = await process
  return reports.read(requestTo(reports), { bust: false })
}
const entryId = async (): Promise<EntryId> => entryIdOf(requestTo(await instance()))
const computationOf = ({ entry }: ReadResult): number => probeData(entry).computation
const begun = async (count: number): Promise<void> =>
  eventually(async () => expect(await world.computations()).toBe(before + count))

/** A store whose claims wait at a gate. */
const claimingLate = (): { late: Gate; changed: Partial<Store> } => {
  const late = gate()
  const claim: Store['claim'] = async (ids, leaseMs) => {
    await late.pass()
    return store.claim(ids, leaseMs)
  }
  return { late, changed: { claim } }
}

describe('an entry that several processes miss', () => {
  test('is computed by one of them, and all of them get it', async () => {
    const closed = await world.closeGate()
    const reads = Array.from({ length: 5 }, () => read(instance()))
    await begun(1)
    await closed.open()
    expect((await Promise.all(reads)).map(computationOf)).toEqual(Array(5).fill(before + 1))
    await begun(1)
  })

  test('is not computed again by one that looked before it was written and claimed after', async () => {
    const { late, changed } = claimingLate()
    const slow = read(instance(changed))
    await late.arrived
    const quick = await read(instance())
    late.open()
    expect(computationOf(await slow)).toBe(computationOf(quick))
    await begun(1)
  })

  test('is computed by the next one when the first one fails', async () => {
    const closed = await world.closeGate()
    await world.make(tenantId, 'fail')
    const first = read(instance())
    // It may fail before anybody looks.
    first.catch(() => undefined)
    await begun(1)
    const second = read(instance())
    await world.make(tenantId, 'answer')
    await closed.open()
    await expect(first).rejects.toMatchObject({ code: 'report_failed' })
    expect(computationOf(await second)).toBe(before + 2)
  })

  test('is computed by the next one when the first one is dead, once its lease has ended', async () => {
    await store.claim([await entryId()], SHORT_LEASE_MS)
    expect(computationOf(await read(instance()))).toBe(before + 1)
  })

  test('is computed, though not kept, by one whose patience ends before the lease of another', async () => {
    await store.claim([await entryId()], HOUR)
    const impatient = instance({}, { patienceMs: 50 })
    expect(computationOf(await read(impatient))).toBe(before + 1)
    expect(await store.read([await entryId()])).toMatchObject([{ part: undefined }])
  })

  test('is left to one that is slow and alive, however short its lease', async () => {
    const renew = vi.fn<Store['renew']>((...args) => store.renew(...args))
    const closed = await world.closeGate()
    const slow = read(instance({ renew }, { leaseMs: SHORT_LEASE_MS }))
    await begun(1)
    const waiting = read(instance())
    await eventually(() => expect(renew.mock.calls.length).toBeGreaterThan(6))
    await begun(1)
    await closed.open()
    expect(computationOf(await waiting)).toBe(computationOf(await slow))
    await begun(1)
  })

  test('is not overwritten by one that slept through its lease, whose reader has an answer', async () => {
    const closed = await world.closeGate()
    const asleep = instance({ renew: async () => undefined }, { leaseMs: SHORT_LEASE_MS })
    const slow = read(asleep)
    await begun(1)
    const next = read(instance())
    await begun(2)
    await closed.open()
    expect(computationOf(await slow)).toBe(before + 1)
    expect(computationOf(await next)).toBe(before + 2)
    expect(computationOf(await read(instance()))).toBe(before + 2)
  })
})

describe('a reader of a missing entry', () => {
  test('waits for another process though a renewal behind a stale answer would not', async () => {
    const { late, changed } = claimingLate()
    const mine = instance(changed)
    await read(instance())
    setTime('2026-03-11T00:00:00Z')
    expect(await read(mine)).toMatchObject({ cache: 'STALE' })
    await late.arrived
    await store.bust('all')
    const closed = await world.closeGate()
    const theirs = read(instance())
    await begun(2)
    const missed = read(mine)
    late.open()
    await closed.open()
    expect(computationOf(await missed)).toBe(computationOf(await theirs))
    await (await mine).idle()
    await begun(2)
  })
})
