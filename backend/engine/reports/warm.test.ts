import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { TestApp } from '../../test/app.ts'
import { testClock } from '../../test/clock.ts'
import { probe, readProbe, type Probe } from '../../test/probe.ts'
import { onlyReport } from '../../test/reports.ts'
import type { InstalledReport, WarmOptions, WarmPlan, WarmProgress, WarmSummary } from './index.ts'

const NOON = '2026-03-10T12:00:00Z'
const { clock, set: setTime } = testClock(NOON)

let world: Probe
let app: TestApp
let ids: string[]

beforeAll(async () => {
  world = await probe()
  app = await world.app({ clock, settings: { batchTenants: 2, warmConcurrency: 1 } })
})
beforeEach(async () => {
  setTime(NOON)
  await world.reset()
  ids = await world.tenants(6)
})
afterAll(() => world.end())

const report = (): InstalledReport => onlyReport(app.engine.reports)
const warm = (options: WarmOptions = {}): Promise<WarmSummary> =>
  app.engine.reports.warm(report(), options)
const plan = (options: WarmOptions = {}): Promise<WarmPlan> =>
  app.engine.reports.plan(report(), options)
const keyOf = (id: string): string => `probe:counted:${id}`
const states = async (): Promise<(string | null)[]> => {
  const answers = await Promise.all(ids.map((id) => readProbe(app, id)))
  await app.engine.reports.idle()
  return answers.map(({ cache }) => cache)
}
const all = <T>(value: T): T[] => ids.map(() => value)

describe('a warming', () => {
  test('computes what is missing, a batch per statement, and readers find it', async () => {
    expect(await warm()).toMatchObject({
      report: 'probe:counted',
      tenants: 6,
      entries: 6,
      warmed: 6,
      skippedFresh: 0,
      failures: [],
      statements: 3,
    })
    expect(await states()).toEqual(all('HIT'))
    expect(await world.computations()).toBe(6)
  })

  test('begins with those who were here last', async () => {
    await warm()
    const answers = await Promise.all(ids.map((id) => readProbe(app, id)))
    const batches = answers.map(({ computation }) => Math.ceil(computation / 2))
    expect(batches).toEqual([1, 1, 2, 2, 3, 3])
  })

  test('leaves what is fresh alone, and says so', async () => {
    await readProbe(app, ids[3] ?? '')
    expect(await warm()).toMatchObject({ warmed: 5, skippedFresh: 1 })
    expect(await warm()).toMatchObject({ warmed: 0, skippedFresh: 6, statements: 0 })
    expect(await world.computations()).toBe(6)
  })

  test('renews what is fresh, too, when it is older than asked for', async () => {
    await warm()
    setTime('2026-03-10T13:00:00Z')
    await readProbe(app, ids[0] ?? '', '&bust_cache=true')
    const renewed = await warm({ renewOlderThan: new Date('2026-03-10T12:30:00Z') })
    expect(renewed).toMatchObject({ warmed: 5, skippedFresh: 1 })
  })

  test('renews what is past its horizon', async () => {
    await warm()
    setTime('2026-03-11T00:00:00Z')
    expect(await warm()).toMatchObject({ warmed: 6 })
    expect(await states()).toEqual(all('HIT'))
  })

  test('plans what it then does', async () => {
    await readProbe(app, ids[1] ?? '')
    const planned = await plan()
    expect(planned).toEqual({
      report: 'probe:counted',
      tenants: 6,
      entries: 6,
      due: ids.filter((_id, i) => i !== 1).map(keyOf),
    })
    expect(await world.computations()).toBe(1)
    expect(await warm()).toMatchObject({ warmed: planned.due.length })
    expect((await plan()).due).toEqual([])
    expect((await plan({ renewOlderThan: new Date('2026-03-10T12:00:01Z') })).due).toHaveLength(6)
  })

  test('of one tenant leaves the others alone', async () => {
    const [id = ''] = ids
    expect(await warm({ tenantId: id })).toMatchObject({ tenants: 1, entries: 1, warmed: 1 })
    expect((await plan()).due).not.toContain(keyOf(id))
    const nobody = '00000000-0000-4000-8000-000000000000'
    await expect(warm({ tenantId: nobody })).rejects.toMatchObject({ code: 'not_found' })
  })

  test('leaves out tenants that are not active', async () => {
    await world.db.query('update tenant set is_active = false where id = $1', [ids[0]])
    expect(await warm()).toMatchObject({ tenants: 5, warmed: 5 })
  })

  test('without tenants is done at once', async () => {
    await world.db.query('update tenant set is_active = false')
    expect(await warm()).toMatchObject({ tenants: 0, entries: 0, warmed: 0, failures: [] })
  })

  test('tells how far it is', async () => {
    const told: WarmProgress[] = []
    await world.make(ids[3] ?? '', 'fail')
    await warm({ onProgress: (progress) => told.push(progress) })
    expect(told).toEqual([
      { done: 2, total: 6, failed: 0 },
      { done: 3, total: 6, failed: 1 },
      { done: 5, total: 6, failed: 1 },
    ])
  })
})

describe('an entry that would not live until the next warming is over', () => {
  const schedules = [{ name: 'Nightly', at: 'cron:0 0 * * *', run: 'rollOverCounted' }]

  test('is renewed ahead of its end', async () => {
    const reports = { counted: { title: 'Counted', reads: [], changesAt: 'never' } } as const
    const nightly = { ...world.domain, reports, schedules }
    const { engine } = await world.app({ clock, domains: [nightly] })
    const lasting = onlyReport(engine.reports)
    const dueAt = async (time: string): Promise<number> => {
      setTime(time)
      return (await engine.reports.plan(lasting, {})).due.length
    }
    await engine.reports.warm(lasting, {})
    // It lives 36 hours, give or take a tenth; a warming comes every 24, and takes up to one.
    expect(await dueAt('2026-03-10T18:00:00Z')).toBe(0)
    expect(await dueAt('2026-03-11T04:00:00Z')).toBe(6)
  })
})
