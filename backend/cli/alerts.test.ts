import { afterAll, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import { cliWorld, type CliWorld } from '../test/cli-world.ts'

const NOBODY = '00000000-0000-4000-8000-000000000000'

let world: CliWorld
let id: string

// The tests tell one story.
beforeAll(async () => {
  world = await cliWorld()
})
afterAll(() => world.end())

const Alerts = z.object({ alerts: z.array(z.object({ id: z.string() })), total: z.number() })

test('alerts list says so when there is nothing wrong', async () => {
  expect((await world.run('alerts list')).stdout).toBe('There are no alerts.\n')
  expect(await world.json('status')).toMatchObject({ open_incidents: 0 })
})

test('alerts list shows what is not resolved', async () => {
  await world.database.db.query(
    `insert into alert_incidents (kind, subject, severity, message, occurrences, cause_at, opened_at, last_seen_at)
     values ('job_failing', 'Warm', 'error', 'The job fails.', 4, now(), now(), now())`,
  )
  const { alerts, total } = Alerts.parse(await world.json('alerts list'))
  id = alerts[0]?.id ?? ''
  expect(total).toBe(1)
  expect((await world.run('alerts list')).stdout).toMatch(/open .* 4 +The job fails\./)
  expect(await world.json('status')).toMatchObject({ open_incidents: 1 })
  expect((await world.run('status')).stdout).toContain('open incidents  1')
})

test('an alert is acknowledged, suppressed and resolved by its id', async () => {
  expect((await world.run(`alerts ack ${id}`)).stdout).toBe('acknowledged: The job fails.\n')
  expect(await world.json(`alerts suppress ${id}`)).toMatchObject({
    alert: { id, status: 'suppressed', acknowledged_by: 'cli', suppressed_by: 'cli' },
  })
  expect(await world.json(`alerts resolve ${id}`)).toMatchObject({
    alert: { status: 'resolved', resolved_by: 'cli' },
  })
  expect(await world.json('alerts list')).toEqual({ alerts: [], total: 0 })
  expect(await world.json('alerts list --all')).toMatchObject({ total: 1 })
})

test('what cannot be done ends with 1 and a sentence, what is written wrongly with 2', async () => {
  expect(await world.run(`alerts ack ${id}`)).toMatchObject({
    code: 1,
    stderr: 'The alert is resolved, so it cannot be acknowledged.\n',
  })
  expect(await world.run(`alerts ack ${NOBODY}`)).toMatchObject({
    code: 1,
    stderr: 'There is no such alert.\n',
  })
  expect(await world.run('alerts ack nonsense')).toMatchObject({ code: 2 })
})
