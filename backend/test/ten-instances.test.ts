// Ten instances on one database and one Redis, three of them real programs, some of which are killed.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { TEST_SECRET, type TestApp } from './app.ts'
import { mintToken } from '../http/index.ts'
import { DEBOUNCE_SECONDS } from './market-domain.ts'
import { holdOpen } from './hold-open.ts'
import { market, readSum, untilHit, type Market, type RunningProgram } from './market.ts'

const PATIENCE = { timeout: 30_000, interval: 50 }

let world: Market
let token: string
let tenant: string
const programs = new Map<string, RunningProgram>()

beforeAll(async () => {
  world = await market(['fruit', 'bread', 'fish'])
  tenant = await world.tenant()
  const superadmin = { subject: 'tester', role: 'superadmin', tenantId: null, teamIds: [] } as const
  token = await mintToken(TEST_SECRET, superadmin, 600)
  await start('one', 'two', 'three')
})
afterAll(() => world.end())

async function start(...names: string[]): Promise<void> {
  await Promise.all(names.map(async (name) => programs.set(name, await world.program(name))))
}

/** The program whose session this is dies. */
async function kill(name: string): Promise<void> {
  const program = programs.get(name)
  if (!program) throw new Error(`There is no program ${name}.`)
  programs.delete(name)
  await program.kill()
}

const untilSettled = (): Promise<void> =>
  vi.waitFor(async () => expect(await world.pending()).toEqual([]), PATIENCE)

const runsOf = (view: string): Promise<{ status: string }[]> =>
  world.sql(`select status from job_runs where view_name = '${view}' order by created_at`)

/** A session that has come to this statement and waits there. */
function waiter(statement: string, except?: number): Promise<{ pid: number; name: string }> {
  return vi.waitFor(async () => {
    const session = (await world.waiting(statement)).find(({ pid }) => pid !== except)
    if (!session) throw new Error('Nobody waits.')
    return session
  }, PATIENCE)
}

async function expectHits(stall: string, amount: number): Promise<void> {
  for (const { url } of programs.values())
    await untilHit(() => readSum({ url, token }, { stall, tenant }), amount)
}

describe('a program is killed', () => {
  test('while it takes changes off the queue: another one does, and none is lost', async () => {
    const release = await holdOpen(world.db, (tx) =>
      tx.query('lock table dirty_entry in exclusive mode'),
    )
    await world.sell('bread', tenant, 'a', 1)
    for (let i = 0; i < 50; i += 1) await world.sell('fish', tenant, String(i), 1)
    const { name } = await waiter('insert into dirty_entry')
    await kill(name)
    expect(await world.pending()).toContain('a change of market.bread')
    await release()
    await expectHits('fish', 50)
    await expectHits('bread', 1)
    await untilSettled()
  }, 40_000)

  test('while it refreshes a view: another one does, readers have the last good data meanwhile', async () => {
    const before = (await runsOf('mv_fruit')).length
    await world.trouble('fruit', 'slow')
    await world.sell('fruit', tenant, 'a', 3)
    const { pid, name } = await waiter('refresh_views')
    await kill(name)
    // The next one begins although the first would not have ended yet: its session has.
    const next = await waiter('refresh_views', pid)
    expect(next.name).not.toBe(name)
    expect(await world.waiting('refresh_views')).toHaveLength(1)
    const [state] = await world.sql(
      "select is_pending, reasons from view_freshness where view_name = 'mv_fruit'",
    )
    expect(state).toEqual({ is_pending: true, reasons: ['change'] })
    for (const { url } of programs.values())
      expect(await readSum({ url, token }, { stall: 'fruit', tenant })).toEqual({
        status: 200,
        cache: 'STALE',
        amount: 0,
      })
    await world.trouble('fruit', null)
    await expectHits('fruit', 3)
    await untilSettled()
    expect((await runsOf('mv_fruit')).slice(before)).toMatchObject([{ status: 'success' }])
  }, 40_000)
})

describe('ten instances', () => {
  let apps: TestApp[]

  beforeAll(async () => {
    await start('four', 'five')
    const wanted = Array.from({ length: 10 - programs.size }, () => world.app())
    apps = await Promise.all(wanted)
    await untilSettled()
  })

  test('refresh a view that is due once', async () => {
    expect(apps.length + programs.size).toBe(10)
    await world.sql('delete from job_runs')
    await world.sql(
      "update view_state set last_success_at = last_success_at - interval '2 h' where domain = 'market'",
    )
    const views = ['mv_fruit', 'mv_bread', 'mv_fish']
    for (const view of views)
      await vi.waitFor(async () => expect(await runsOf(view)).toHaveLength(1), PATIENCE)
    // Every instance plans once a second.
    await sleep(2500)
    for (const view of views) expect(await runsOf(view)).toMatchObject([{ status: 'success' }])
    await untilSettled()
  }, 40_000)

  test('follow a thousand changes within a second with a handful of refreshes, and lose none', async () => {
    await world.sql('delete from job_runs')
    const startedAt = performance.now()
    const writers = Array.from({ length: 10 }, async (_writer, w) => {
      for (let i = 0; i < 100; i += 1) await world.sell('fruit', tenant, `${w}:${i}`, 1)
    })
    await Promise.all(writers)
    const seconds = (performance.now() - startedAt) / 1000
    await untilSettled()
    const runs = await runsOf('mv_fruit')
    expect(runs.length).toBeGreaterThan(0)
    // Writing may take longer on a busy machine.
    expect(runs.length).toBeLessThanOrEqual(Math.ceil(seconds / DEBOUNCE_SECONDS) + 2)
    expect(runs.filter(({ status }) => status !== 'success')).toEqual([])
    const differing = await world.sql('table market.fruit except table market.mv_fruit')
    expect(differing).toEqual([])
    await expectHits('fruit', 1003)
  }, 40_000)
})
