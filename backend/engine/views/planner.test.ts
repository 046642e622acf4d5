import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../../test/eventually.ts'
import { laneWorld } from '../../test/lanes.ts'
import { viewWorld, type ViewWorld } from '../../test/views.ts'
import type { Lanes } from '../lanes/index.ts'
import type { Views } from './index.ts'

let world: ViewWorld

beforeAll(async () => {
  world = await viewWorld()
  world.define('mv_staff', {
    refresh: [
      { everySeconds: 900 },
      { everySeconds: 600, from: '00:00', to: '24:00' },
      { atLocalMidnight: true },
      { onEvent: 'etl.completed' },
      { onChange: true, debounceSeconds: 30 },
    ],
  })
  await world.install()
})
beforeEach(async () => {
  await world.db.query(
    "update view_state set satisfied = requested, not_before = null, reasons = '{}', last_success_at = now(), consecutive_failures = 0",
  )
  await world.db.query('delete from job_runs')
  await world.db.query('delete from refresh_queue')
})
afterAll(() => world.end())

const tickAll = async (instances: readonly Views[]): Promise<void> => {
  await Promise.all(instances.map((views) => views.tick()))
  await Promise.all(instances.map((views) => views.idle()))
}

/** A zone in which it is this hour now. */
function zoneIn(hour: number): string {
  const ahead = (hour - new Date().getUTCHours() + 36) % 24
  return ahead > 12 ? `Etc/GMT-${ahead - 12}` : `Etc/GMT+${12 - ahead}`
}

/** Lanes that note what they are given, and do nothing. */
function noted(): { dispatched: Set<string>; lanes: Pick<Lanes, 'handle' | 'add'> } {
  const dispatched = new Set<string>()
  const add: Lanes['add'] = async (_kind, data) => {
    dispatched.add(JSON.stringify(data))
    return 'AlreadyThere'
  }
  return { dispatched, lanes: { handle: () => undefined, add } }
}

const AWAY: Pick<Lanes, 'handle' | 'add'> = {
  handle: () => undefined,
  add: () => Promise.reject(new Error('The queue is away.')),
}

describe('the planner', () => {
  test('refreshes a due view once, however many instances plan', async () => {
    const instances = await Promise.all(Array.from({ length: 10 }, () => world.views()))
    await world.age('mv_days', 4000)
    await tickAll(instances)
    await tickAll(instances)
    expect(await world.runs('mv_days')).toMatchObject([
      { status: 'success', triggered_by: 'interval' },
    ])
    expect(await world.runs('mv_staff')).toEqual([])
    await Promise.all(instances.map((views) => views.stop()))
  })

  test('makes one refresh of two policies that are due together', async () => {
    const views = await world.views()
    await world.age('mv_staff', 901)
    await tickAll([views])
    await tickAll([views])
    expect(await world.runs('mv_staff')).toHaveLength(1)
  })

  test('gives it to whichever process works on the lanes', async () => {
    const queue = await laneWorld('postgres')
    const [planning, working] = [queue.lanes(), queue.lanes()]
    const planner = await world.views({ lanes: planning })
    const worker = await world.views({ lanes: working })
    await Promise.all([planner.start(), working.start()])
    await planner.request('mv_days', 'a test')
    await planner.tick()
    await planner.tick()
    await eventually(async () => expect(await world.runs('mv_days')).toHaveLength(1))
    await Promise.all([planner.stop(), worker.stop()])
    await queue.end()
  })

  test('has it done here while the lanes are away', async () => {
    const views = await world.views({ lanes: AWAY })
    await views.start()
    await views.request('mv_days', 'a test')
    await tickAll([views])
    await eventually(async () => expect(await world.runs('mv_days')).toHaveLength(1))
    await views.stop()
  })

  test('leaves to others what is asked for after the stop', async () => {
    const views = await world.views()
    await views.request('mv_days', 'a test')
    await views.stop()
    expect(await views.refreshRequested('mv_days')).toMatchObject({ status: 'skipped' })
    expect(await views.refresh(['mv_days'], { triggeredBy: 'a test' })).toMatchObject([
      { status: 'skipped' },
    ])
    await views.tick()
    expect(await world.state('mv_days')).toMatchObject({
      is_pending: true,
      consecutive_failures: 0,
    })
  })

  test('lets a view wait until one that it reads is refreshed', async () => {
    const { dispatched, lanes } = noted()
    const views = await world.views({ lanes })
    await views.start()
    await world.age('mv_days', 4000)
    await world.age('mv_totals', 4000)
    await views.tick()
    expect([...dispatched]).toEqual(['{"view":"mv_days"}'])
    await views.refreshRequested('mv_days')
    await views.tick()
    expect([...dispatched]).toEqual(['{"view":"mv_days"}', '{"view":"mv_totals"}'])
    await views.stop()
  })

  test('does not let it wait for one that fails', async () => {
    const { dispatched, lanes } = noted()
    const views = await world.views({ lanes })
    await views.start()
    await views.request('mv_days', 'a test')
    await views.request('mv_totals', 'a test')
    await world.db.query(
      "update view_state set consecutive_failures = 1, not_before = now() + interval '1 hour' where view_name = 'mv_days'",
    )
    await views.tick()
    expect([...dispatched]).toEqual(['{"view":"mv_totals"}'])
    await views.stop()
  })

  test('waits until a change has rested, and debounces changes anew that come during a refresh', async () => {
    const views = await world.views()
    const change = `update view_state set requested = requested + 1, reasons = '{change}', pending_since = now(),
      not_before = case when requested > satisfied then not_before else clock_timestamp() + interval '30 s' end
      where view_name = 'mv_staff'`
    await world.db.query(change)
    await tickAll([views])
    expect(await world.runs('mv_staff')).toEqual([])
    await world.hurry()
    const gate = await world.closeGate()
    await views.tick()
    await eventually(async () => expect(await world.blocked()).toBe(1))
    await world.db.query(change)
    await gate.open()
    await views.idle()
    const state = await world.state('mv_staff')
    expect(state).toMatchObject({ is_pending: true, reasons: ['change'] })
    expect(Number(state.not_before)).toBeGreaterThan(Date.now() + 20_000)
  })

  test('refreshes upon an event the views that follow it', async () => {
    const views = await world.views()
    expect(await views.event('etl.completed')).toEqual(['mv_staff'])
    expect(await views.event('nothing')).toEqual([])
    await tickAll([views])
    expect(await world.runs('mv_staff')).toMatchObject([
      { status: 'success', triggered_by: 'etl.completed' },
    ])
  })

  test('refreshes when a new day has begun for some tenant, and that one counts as changed', async () => {
    const views = await world.views()
    await world.db.query('delete from tenant')
    await world.db.query(
      "insert into tenant (name, timezone) values ('After midnight', $1), ('Afternoon', $2)",
      [zoneIn(0), zoneIn(12)],
    )
    await world.age('mv_staff', 3600)
    await tickAll([views])
    expect(await world.runs('mv_staff')).toMatchObject([
      { triggered_by: expect.stringContaining('midnight') },
    ])
    const changed = await world.db.query(
      'select name from refresh_queue join tenant on tenant.id = tenant_id where source = $1',
      ['shop.mv_staff'],
    )
    expect(changed).toEqual([{ name: 'After midnight' }])
    await world.db.query('delete from tenant')
  })

  test('ticks by itself, until it is stopped', async () => {
    const views = await world.views()
    await views.start()
    await world.age('mv_days', 4000)
    await eventually(async () => expect(await world.runs('mv_days')).toHaveLength(1))
    await views.stop()
    await views.stop()
  })
})
