import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { interleavings, WRITERS, type Interleavings } from './interleavings.ts'
import { TENANTS } from './ledger-truth.ts'

let world: Interleavings

beforeAll(async () => {
  world = await interleavings()
})
afterAll(() => world.close())

const RUNS = 500
const TIMEOUT_MS = 600_000

/** A failure is told in the words of its steps, with the seed that repeats it. */
type Step = { does: () => Promise<void>; [fc.toStringMethod]: () => string }

const writer = fc.nat(WRITERS - 1)
const tenant = fc.nat(TENANTS.length - 1)
const row = fc.nat(4)
const act = fc.constantFrom('insert', 'insert', 'update', 'move', 'delete')
const view = fc.constantFrom('totals', 'grand')
const finish = fc.constantFrom('commit', 'commit', 'rollback', 'kill')
const how = fc.constantFrom('whole', 'whole', 'rolled back', 'cache away')
const report = fc.constantFrom('balance', 'direct')

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(writer, act, tenant, row).map(([w, a, t, r]) => write(w, a, t, r)),
  },
  { weight: 1, arbitrary: writer.map((w) => write(w, 'truncate', 0, 0)) },
  { weight: 3, arbitrary: writer.map((w) => says(`writer ${w} begins`, () => world.begin(w))) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(writer, finish)
      .map(([w, e]) => says(`writer ${w}: ${e}`, () => world.finish(w, e))),
  },
  { weight: 4, arbitrary: how.map((h) => says(`drain: ${h}`, () => world.drain(h))) },
  { weight: 1, arbitrary: fc.constant(says('rewarm', () => world.rewarm())) },
  { weight: 2, arbitrary: fc.constant(says('plan', () => world.plan())) },
  { weight: 2, arbitrary: view.map((v) => says(`refresh ${v} …`, () => world.beginRefresh(v))) },
  { weight: 2, arbitrary: finish.map((e) => says(`… refresh: ${e}`, () => world.endRefresh(e))) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(report, tenant)
      .map(([r, t]) => says(`read ${r} of ${t}`, () => world.read(r, t))),
  },
)

function write(
  by: number,
  what: 'insert' | 'update' | 'move' | 'delete' | 'truncate',
  to: number,
  which: number,
): Step {
  const does = () => world.write(by, { act: what, tenant: to, row: which })
  return says(`writer ${by}: ${what} row ${which}, tenant ${to}`, does)
}

function says(sentence: string, does: () => Promise<void>): Step {
  return { does, [fc.toStringMethod]: () => sentence }
}

test(
  'whatever writers, drainers, refreshes and crashes come between one another, every view and every answer equals the source in the end',
  async () => {
    const steps = fc.array(step, { minLength: 3, maxLength: 25 })
    const property = fc.asyncProperty(steps, async (sequence) => {
      await world.reset()
      for (const { does } of sequence) await does()
      await world.settle()
      expect(await world.wrong()).toEqual([])
    })
    await fc.assert(property, { numRuns: RUNS, endOnFailure: false })
  },
  TIMEOUT_MS,
)
