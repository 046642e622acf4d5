import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { eventually } from '../../test/eventually.ts'
import { monitoringWorld, NOON, type MonitoringWorld } from '../../test/monitoring.ts'
import { receiver, type Receiver } from '../../test/receiver.ts'
import { MINUTE, SECOND } from '../clock.ts'
import { pauseAfter } from './deliver.ts'
import type { Monitoring } from './index.ts'

const SECRET = 'the secret of the receiver'

let world: MonitoringWorld
let hook: Receiver
let watch: Monitoring
beforeAll(async () => {
  world = await monitoringWorld()
})
beforeEach(async () => {
  await world.reset()
  await hook?.stop()
  hook = await receiver()
  watch = notifying()
})
afterAll(async () => {
  await world.end()
  await hook.stop()
})

function notifying(): Monitoring {
  return world.instance({ webhook: { url: hook.url, secret: SECRET } })
}

/** Moves the clock forward from noon. */
function after(milliseconds: number): void {
  world.setTime(new Date(Date.parse(NOON) + milliseconds).toISOString())
}

async function openIncident(): Promise<string> {
  await world.view('sales')
  for (const minute of [1, 2, 3, 4]) await world.failView('sales', `2026-01-10T11:0${minute}:00Z`)
  const { opened } = await watch.evaluate()
  return opened[0]?.id ?? ''
}

const Body = z.looseObject({ event: z.string(), text: z.string() })
const events = (): string[] => hook.received.map(({ body }) => Body.parse(JSON.parse(body)).event)
const delivered = () =>
  world.db.query(
    `select event, attempts, delivered_at is not null as delivered, next_attempt_at is not null as waiting
     from alert_notification order by number`,
  )

describe('what the receiver gets', () => {
  test('is a message for Slack and the incident for programs', async () => {
    await world.view('sales')
    for (const minute of [1, 2, 3, 4]) {
      await world.failView('sales', `2026-01-10T11:0${minute}:00Z`, 'a < b & c')
    }
    const { opened } = await watch.evaluate()
    await watch.deliver()
    const text =
      ':rotating_light: *error*: The view sales could not be refreshed 4 times in a row: a &lt; b &amp; c'
    expect(JSON.parse(hook.received[0]?.body ?? '')).toEqual({
      text,
      blocks: [{ type: 'section', text: { type: 'mrkdwn', text } }],
      notification_id: hook.received[0]?.headers['x-prewarm-delivery'],
      event: 'incident.opened',
      occurred_at: NOON,
      incident: opened[0],
    })
  })

  test('is signed with the time and the body', async () => {
    await openIncident()
    await watch.deliver()
    const { headers, body } = hook.received[0] ?? { headers: {}, body: '' }
    const time = Date.parse(NOON) / SECOND
    const hash = createHmac('sha256', SECRET).update(`${time}.${body}`).digest('hex')
    expect(headers['x-prewarm-signature']).toBe(`t=${time},v1=${hash}`)
  })

  test('is not signed without a secret', async () => {
    watch = world.instance({ webhook: { url: hook.url, secret: undefined } })
    await openIncident()
    await watch.deliver()
    expect(hook.received[0]?.headers['x-prewarm-signature']).toBeUndefined()
  })

  test('tells of the beginning, of who acknowledged it, and of the end', async () => {
    const id = await openIncident()
    await watch.deliver()
    await watch.incidents.acknowledge(id, 'ada')
    await watch.deliver()
    await world.refreshView('sales', NOON)
    await watch.evaluate()
    await watch.deliver()
    expect(events()).toEqual(['incident.opened', 'incident.acknowledged', 'incident.resolved'])
    expect(hook.received[1]?.body).toContain(':eyes: *acknowledged* by ada: The view sales')
    expect(hook.received[2]?.body).toContain(':white_check_mark: *resolved* by system: The view')
  })

  test('is nothing more about an incident that was suppressed', async () => {
    const id = await openIncident()
    await watch.deliver()
    await watch.incidents.suppress(id, 'ada')
    await world.failView('sales', '2026-01-10T11:30:00Z')
    await watch.evaluate()
    await world.refreshView('sales', NOON)
    await watch.evaluate()
    expect(await watch.deliver()).toBe(0)
    expect(events()).toEqual(['incident.opened'])
  })
})

test('what is still to be sent of an incident is not sent when it is suppressed', async () => {
  const id = await openIncident()
  await watch.incidents.suppress(id, 'ada')
  expect(await watch.deliver()).toBe(0)
  expect(hook.received).toEqual([])
})

test('without a receiver nothing is kept for one', async () => {
  watch = world.instance()
  await openIncident()
  expect(await delivered()).toEqual([])
})

test('ten instances send a notification once', async () => {
  const instances = Array.from({ length: 10 }, notifying)
  // Their connections are open then, and they really ask at the same time.
  await Promise.all(instances.map((one) => one.deliver()))
  await openIncident()
  const tried = await Promise.all(instances.map((one) => one.deliver()))
  expect(tried.reduce((sum, one) => sum + one, 0)).toBe(1)
  expect(hook.received).toHaveLength(1)
})

test('a notification that another instance is claiming is left to it', async () => {
  await openIncident()
  await world.db.transaction(async (tx) => {
    await tx.query('select from alert_notification for update')
    expect(await watch.deliver()).toBe(0)
  })
  expect(await watch.deliver()).toBe(1)
})

describe('a receiver that fails', () => {
  test.each([500, 503, 429, 408])('with %i gets the same again later', async (status) => {
    hook.answer(status)
    await openIncident()
    await watch.deliver()
    expect(await watch.deliver()).toBe(0)
    after(5 * SECOND)
    expect(await watch.deliver()).toBe(1)
    const [first, second] = hook.received
    expect(second?.body).toBe(first?.body)
    expect(second?.headers['x-prewarm-delivery']).toBe(first?.headers['x-prewarm-delivery'])
    expect(second?.headers['x-prewarm-signature']).not.toBe(first?.headers['x-prewarm-signature'])
    expect(await delivered()).toEqual([
      { event: 'opened', attempts: 2, delivered: true, waiting: false },
    ])
  })

  test.each([400, 404, 410, 302])(
    'with %i is not asked again, and the log says so',
    async (status) => {
      hook.answer(status)
      await openIncident()
      await watch.deliver()
      after(60 * MINUTE)
      expect(await watch.deliver()).toBe(0)
      const error = `The receiver answered ${status}.`
      expect(world.logged).toContainEqual({
        level: 'error',
        message: 'A notification was given up.',
        details: { notification: expect.any(String), event: 'opened', attempts: 1, error },
      })
      const rows = await world.db.query(
        `select message, error_details->>'error' as error from system_logs where operation = 'notification_failed'`,
      )
      expect(rows).toEqual([{ message: 'A notification was given up.', error }])
    },
  )

  test('by refusing connections gets all of it, in order, when it is there again', async () => {
    await hook.down()
    const id = await openIncident()
    await watch.deliver()
    await watch.incidents.acknowledge(id, 'ada')
    after(5 * SECOND)
    expect(await watch.deliver()).toBe(1)
    await hook.up()
    after(15 * SECOND)
    expect([await watch.deliver(), await watch.deliver()]).toEqual([1, 1])
    expect(events()).toEqual(['incident.opened', 'incident.acknowledged'])
    const details = expect.objectContaining({ error: expect.stringContaining('ECONNREFUSED') })
    expect(world.logged).toContainEqual(expect.objectContaining({ level: 'warn', details }))
  })

  test('by never answering is given up on after five seconds, and asked again', async () => {
    hook.answer('never')
    await openIncident()
    await watch.deliver()
    const details = expect.objectContaining({ error: 'No answer within 5000 ms.' })
    expect(world.logged).toContainEqual(expect.objectContaining({ level: 'warn', details }))
    after(5 * SECOND)
    await watch.deliver()
    expect(await delivered()).toMatchObject([{ attempts: 2, delivered: true }])
  })

  test('does not hold up the stop', async () => {
    hook.answer('never')
    await openIncident()
    watch.start()
    await eventually(() => expect(hook.received).toHaveLength(1))
    const start = performance.now()
    await watch.stop()
    expect(performance.now() - start).toBeLessThan(2000)
    expect(await delivered()).toMatchObject([{ delivered: false, waiting: true }])
  })
})

test('what a process that died had claimed is sent by another one a minute later', async () => {
  await openIncident()
  await world.db.query(
    `update alert_notification set attempts = 1, next_attempt_at = $1::timestamptz + interval '1 minute'`,
    [NOON],
  )
  expect(await watch.deliver()).toBe(0)
  after(MINUTE)
  expect(await watch.deliver()).toBe(1)
  expect(events()).toEqual(['incident.opened'])
})

test('pauses double from five seconds to a quarter of an hour', () => {
  expect([1, 2, 3, 8, 9, 30].map((attempts) => pauseAfter(attempts) / SECOND)).toEqual([
    5, 10, 20, 640, 900, 900,
  ])
})

test('after six hours a notification is given up', async () => {
  await openIncident()
  await world.db.query('update alert_notification set attempts = 29')
  hook.answer(500)
  await watch.deliver()
  expect(await delivered()).toMatchObject([{ attempts: 30, delivered: false, waiting: false }])
})
