import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { monitoringWorld, type MonitoringWorld } from '../../test/monitoring.ts'
import { INCIDENT_STATUSES, type Incident } from './index.ts'

let world: MonitoringWorld
beforeAll(async () => {
  world = await monitoringWorld()
})
beforeEach(() => world.reset())
afterAll(() => world.end())

const at = (minute: number): string => new Date(Date.UTC(2026, 0, 10, 12, minute)).toISOString()

async function all(): Promise<Incident[]> {
  const page = { page: 1, pageSize: 100 }
  return (await world.instance().incidents.list(INCIDENT_STATUSES, page)).alerts
}

async function failTimes(view: string, times: number): Promise<void> {
  for (let minute = 1; minute <= times; minute += 1) await world.failView(view, at(minute))
}

async function operations(): Promise<string[]> {
  const rows = await world.db.query<{ operation: string }>(
    'select operation from system_logs order by id',
  )
  return rows.map(({ operation }) => operation)
}

describe('a view that cannot be refreshed', () => {
  test('has an incident at its fourth failure in a row, and not at the third', async () => {
    const watch = world.instance()
    await world.view('sales')
    await failTimes('sales', 3)
    expect(await watch.evaluate()).toEqual({ opened: [], resolved: [] })
    await world.failView('sales', at(4), 'the disk is full')
    world.setTime(at(4))
    await watch.evaluate()
    expect(await all()).toEqual([
      {
        id: expect.any(String),
        kind: 'view_failing',
        subject: 'sales',
        severity: 'error',
        status: 'open',
        message: 'The view sales could not be refreshed 4 times in a row: the disk is full',
        details: { error: 'the disk is full', last_success_at: at(0) },
        occurrences: 4,
        opened_at: at(4),
        last_seen_at: at(4),
        acknowledged_at: null,
        acknowledged_by: null,
        suppressed_at: null,
        suppressed_by: null,
        resolved_at: null,
        resolved_by: null,
      },
    ])
  })

  test('has one incident, however many instances look at the same time', async () => {
    await world.view('sales')
    await failTimes('sales', 4)
    const instances = Array.from({ length: 10 }, () => world.instance())
    const evaluated = await Promise.all(instances.map((one) => one.evaluate()))
    expect(evaluated.flatMap(({ opened }) => opened)).toHaveLength(1)
    expect(await all()).toHaveLength(1)
    expect(await operations()).toEqual(['incident_opened'])
  })

  test('has the same incident for its further failures, which are counted', async () => {
    const watch = world.instance()
    await world.view('sales')
    await failTimes('sales', 4)
    await watch.evaluate()
    await watch.evaluate()
    expect(await all()).toMatchObject([{ occurrences: 4, last_seen_at: at(0) }])
    await world.failView('sales', at(5))
    world.setTime(at(6))
    await watch.evaluate()
    expect(await all()).toMatchObject([{ occurrences: 5, opened_at: at(0), last_seen_at: at(6) }])
  })

  test('recovers by one success, which resolves the incident by itself', async () => {
    const watch = world.instance()
    await world.view('sales')
    await failTimes('sales', 4)
    await watch.evaluate()
    await world.refreshView('sales', at(5))
    world.setTime(at(6))
    const [one, other] = await Promise.all([watch.evaluate(), world.instance().evaluate()])
    expect([...one.resolved, ...other.resolved]).toHaveLength(1)
    expect(await all()).toMatchObject([
      { status: 'resolved', resolved_by: 'system', resolved_at: at(6) },
    ])
    expect(await operations()).toEqual(['incident_opened', 'incident_resolved'])
  })

  test('has another incident when it fails again after it recovered', async () => {
    const watch = world.instance()
    await world.view('sales')
    await failTimes('sales', 4)
    await watch.evaluate()
    await world.refreshView('sales', at(5))
    await watch.evaluate()
    for (const minute of [6, 7, 8, 9]) await world.failView('sales', at(minute))
    await watch.evaluate()
    expect(await all()).toHaveLength(2)
  })

  test('has no incident any more when there is no such view any more', async () => {
    const watch = world.instance()
    await world.view('sales')
    await failTimes('sales', 4)
    await watch.evaluate()
    await world.db.query('delete from view_state')
    await watch.evaluate()
    expect(await all()).toMatchObject([{ status: 'resolved' }])
  })

  test('resolved by hand while it lasts has another incident only after a further failure', async () => {
    const watch = world.instance()
    await world.view('sales')
    await failTimes('sales', 4)
    await watch.evaluate()
    const [first] = await all()
    await watch.incidents.resolve(first?.id ?? '', 'ada')
    await watch.evaluate()
    expect(await all()).toMatchObject([{ status: 'resolved', resolved_by: 'ada' }])
    await world.failView('sales', at(5))
    world.setTime(at(5))
    await watch.evaluate()
    expect(await all()).toMatchObject([{ status: 'open', occurrences: 5 }, { status: 'resolved' }])
  })
})

describe('a job', () => {
  const hours = ['01', '02', '03', '04'].map((hour) => `2026-01-10T${hour}:00:00Z`)

  test('has an incident after four failures in a row, timeouts among them', async () => {
    const watch = world.instance()
    await world.job('Warm')
    await world.runs('Warm', 'failed', hours.slice(0, 3))
    await watch.evaluate()
    expect(await all()).toEqual([])
    await world.runs('Warm', 'timeout', hours.slice(3))
    await watch.evaluate()
    const message = 'The job "Warm" failed 4 times in a row: timeout at 2026-01-10 04:00:00+00'
    expect(await all()).toMatchObject([{ kind: 'job_failing', subject: 'Warm', message }])
    await watch.evaluate()
    expect(await all()).toMatchObject([{ occurrences: 4 }])
  })

  test.each(['success', 'partial'])('that was a %s in between has none', async (status) => {
    await world.job('Warm')
    await world.runs('Warm', 'failed', hours)
    await world.runs('Warm', status, ['2026-01-10T03:30:00Z'])
    await world.instance().evaluate()
    expect(await all()).toEqual([])
  })

  test('that was skipped or is running in between has one', async () => {
    await world.job('Warm')
    await world.runs('Warm', 'failed', hours)
    await world.runs('Warm', 'skipped', ['2026-01-10T03:30:00Z', '2026-01-10T04:30:00Z'])
    await world.instance().evaluate()
    expect(await all()).toHaveLength(1)
  })

  test('recovers by a run that is no failure', async () => {
    const watch = world.instance()
    await world.job('Warm')
    await world.runs('Warm', 'failed', hours)
    await watch.evaluate()
    await world.runs('Warm', 'partial', ['2026-01-10T05:00:00Z'])
    await watch.evaluate()
    expect(await all()).toMatchObject([{ status: 'resolved', resolved_by: 'system' }])
  })

  test('that was deleted has no incident any more', async () => {
    const watch = world.instance()
    await world.job('Warm')
    await world.runs('Warm', 'failed', hours)
    await watch.evaluate()
    await world.db.query('delete from cron_job')
    await watch.evaluate()
    expect(await all()).toMatchObject([{ status: 'resolved' }])
  })
})

describe('a view that is too old', () => {
  test('has an incident as soon as it is older than its target and the margin', async () => {
    const watch = world.instance({ viewLateMarginMs: 300_000 })
    await world.view('sales')
    world.setTime(at(10))
    await watch.evaluate()
    expect(await all()).toEqual([])
    world.setTime('2026-01-10T12:10:01Z')
    await watch.evaluate()
    const message = 'The view sales is 601 seconds old; its target is 300 seconds.'
    expect(await all()).toMatchObject([{ kind: 'view_late', severity: 'warning', message }])
    world.setTime(at(11))
    await watch.evaluate()
    expect(await all()).toMatchObject([{ occurrences: 1 }])
  })

  test('recovers by a refresh', async () => {
    const watch = world.instance()
    await world.view('sales')
    world.setTime(at(11))
    await watch.evaluate()
    await world.refreshView('sales', at(11))
    await watch.evaluate()
    expect(await all()).toMatchObject([{ status: 'resolved', resolved_by: 'system' }])
  })

  test('keeps its incident while an instance whose clock is behind does not find it old', async () => {
    const watch = world.instance()
    await world.view('sales')
    world.setTime('2026-01-10T12:10:01Z')
    await watch.evaluate()
    world.setTime('2026-01-10T12:09:59Z')
    await world.instance().evaluate()
    expect(await all()).toMatchObject([{ status: 'open' }])
  })

  test('resolved by hand has another incident only after a further failure', async () => {
    const watch = world.instance()
    await world.view('sales')
    world.setTime(at(11))
    await watch.evaluate()
    await watch.incidents.resolve((await all())[0]?.id ?? '', 'ada')
    world.setTime(at(20))
    await watch.evaluate()
    expect(await all()).toHaveLength(1)
    await world.failView('sales', at(20))
    await watch.evaluate()
    expect(await all()).toHaveLength(2)
  })
})
