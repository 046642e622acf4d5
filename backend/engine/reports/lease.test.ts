// One computation among several processes, which here are several `Reports` over one store.
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { gate, type Gate } from '../../test/gate.ts'
import { testLog } from '../../test/log.ts'
import { probe, type Probe } from '../../test/probe.ts'
import { createMemoryStore, type Store } from '../cache/index.ts'
import { HOUR, systemClock } from '../clock.ts'
import { createReports, loadCatalog, type Catalog, type ReadResult, type Reports } from './index.ts'
import { wholeTenant } from './request.ts'

const LEASE_MS = 200

let world: Probe
let catalog: Catalog
let store: Store
let tenantId: string
let before: number

beforeAll(async () => {
  world = await probe()
  catalog = await loadCatalog([world.domain])
})
beforeEach(async () => {
  store = createMemoryStore({ maxBytes: 1_000_000, clock: systemClock })
  ;[tenantId = ''] = await world.tenants(1)
  before = await world.computations()
})
afterAll(() => world.end())

const instance = (changed: Partial<Store> = {}, leaseMs = 10_000): Reports => {
  const own = { ...store, ...changed }
  return createReports({
    catalog,
    db: world.db,
    store: own,
    bulkStore: own,
    clock: systemClock,
    log: testLog().log,
    settings: {
      lifetimeMs: HOUR,
      leaseMs,
      renewAheadMs: 0,
      batchTenants: 10,
      concurrency: 1,
      localTrustMs: 0,
      localMaxBytes: 1_000_000,
    },
  })
}
const requested = () => {
  const [report] = catalog.all
  if (!report) throw new Error('There is no report.')
  return { report, scope: wholeTenant(tenantId), variant: null }
}
const read = (reports: Reports) => reports.read(requested(), { bust: false })
const computationOf = ({ entry }: ReadResult): number =>
  Number((JSON.parse(entry.body.toString()) as { computation: number }).computation)
const begun = async (count: number): Promise<void> =>
  vi.waitFor(async () => expect(await world.computations()).toBe(before + count))

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
    await begun(1)
    const second = read(instance())
    await world.make(tenantId, 'answer')
    await closed.open()
    await expect(first).rejects.toMatchObject({ code: 'report_failed' })
    expect(computationOf(await second)).toBe(before + 2)
  })

  test('is computed by the next one when the first one is dead, once its lease has ended', async () => {
    await store.claim([{ ...idOf(), key: idOf().key }], LEASE_MS)
    expect(computationOf(await read(instance({}, LEASE_MS)))).toBe(before + 1)
  })
})
