import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { monitoringWorld, type MonitoringWorld } from '../../test/monitoring.ts'

let world: MonitoringWorld
beforeAll(async () => {
  world = await monitoringWorld()
})
beforeEach(() => world.reset())
afterAll(() => world.end())

const at = (minute: number): string => new Date(Date.UTC(2026, 0, 10, 12, minute)).toISOString()

const kept = () => world.db.query('select status, occurrences, resolved_by from alert_incidents')

async function openIncident(): Promise<string> {
  await world.view('sales')
  for (const minute of [1, 2, 3, 4]) await world.failView('sales', at(minute))
  const { opened } = await world.instance().evaluate()
  return opened[0]?.id ?? ''
}

test('an incident goes from open to acknowledged to resolved, and each step says who and when', async () => {
  const { incidents: people } = world.instance()
  const id = await openIncident()
  world.setTime(at(5))
  expect(await people.acknowledge(id, 'ada')).toMatchObject({
    status: 'acknowledged',
    acknowledged_by: 'ada',
    acknowledged_at: at(5),
  })
  world.setTime(at(6))
  expect(await people.resolve(id, 'bob')).toMatchObject({
    status: 'resolved',
    acknowledged_by: 'ada',
    resolved_by: 'bob',
    resolved_at: at(6),
  })
  const rows = await world.db.query('select operation, created_at from system_logs order by id')
  expect(rows).toEqual([
    { operation: 'incident_opened', created_at: new Date(at(0)) },
    { operation: 'incident_acknowledged', created_at: new Date(at(5)) },
    { operation: 'incident_resolved', created_at: new Date(at(6)) },
  ])
})

test('a suppressed incident is resolved by recovery, and counts further failures until then', async () => {
  const watch = world.instance()
  const id = await openIncident()
  expect(await watch.incidents.suppress(id, 'ada')).toMatchObject({ status: 'suppressed' })
  await world.failView('sales', at(5))
  await watch.evaluate()
  expect(await kept()).toMatchObject([{ status: 'suppressed', occurrences: 5 }])
  await world.refreshView('sales', at(6))
  await watch.evaluate()
  expect(await kept()).toMatchObject([{ status: 'resolved', resolved_by: 'system' }])
})

test.each([
  ['acknowledge', 'acknowledge', 'The alert is acknowledged, so it cannot be acknowledged.'],
  ['resolve', 'acknowledge', 'The alert is resolved, so it cannot be acknowledged.'],
  ['resolve', 'resolve', 'The alert is resolved, so it cannot be resolved.'],
  ['resolve', 'suppress', 'The alert is resolved, so it cannot be suppressed.'],
  ['suppress', 'acknowledge', 'The alert is suppressed, so it cannot be acknowledged.'],
  ['suppress', 'suppress', 'The alert is suppressed, so it cannot be suppressed.'],
] as const)('after %s, %s is refused', async (first, second, message) => {
  const { incidents: people } = world.instance()
  const id = await openIncident()
  await people[first](id, 'ada')
  await expect(people[second](id, 'ada')).rejects.toMatchObject({ code: 'conflict', message })
})

test('of two people who acknowledge at the same time one is told that it is done', async () => {
  const id = await openIncident()
  const both = [world.instance(), world.instance()].map((one) =>
    one.incidents.acknowledge(id, 'ada'),
  )
  const outcomes = await Promise.allSettled(both)
  expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
})
