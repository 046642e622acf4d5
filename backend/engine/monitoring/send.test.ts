import { afterAll, beforeAll, expect, test } from 'vitest'
import { NOON } from '../../test/monitoring.ts'
import { receiver, type Receiver } from '../../test/receiver.ts'
import type { Notification } from './notification.ts'
import { send, type Sent } from './send.ts'

let hook: Receiver
beforeAll(async () => {
  hook = await receiver()
})
afterAll(() => hook.stop())

const notification: Notification = {
  number: '1',
  id: '0b6b1f9a-5f5a-4a0e-9d8c-0b6b1f9a5f5a',
  event: 'opened',
  incident: {
    id: '5f0a4c1e-5f5a-4a0e-9d8c-0b6b1f9a5f5a',
    kind: 'view_failing',
    subject: 'sales',
    severity: 'error',
    status: 'open',
    message: 'The view sales could not be refreshed.',
    details: {},
    occurrences: 4,
    opened_at: NOON,
    last_seen_at: NOON,
    acknowledged_at: null,
    acknowledged_by: null,
    suppressed_at: null,
    suppressed_by: null,
    resolved_at: null,
    resolved_by: null,
  },
  createdAt: new Date(NOON),
  attempts: 1,
}

function sendTo(url: string): Promise<Sent> {
  const moment = { now: new Date(NOON), signal: new AbortController().signal }
  return send({ url, secret: undefined }, notification, moment)
}

test.each([
  ['user:p%40ss@', 'user:p@ss'],
  ['token@', 'token:'],
  ['user:100%@', 'user:100%'],
])('the credentials of a URL (%s) are sent as a header', async (credentials, meant) => {
  hook.received.length = 0
  expect(await sendTo(hook.url.replace('//', `//${credentials}`))).toEqual({ outcome: 'delivered' })
  const expected = `Basic ${Buffer.from(meant).toString('base64')}`
  expect(hook.received.map(({ headers }) => headers.authorization)).toEqual([expected])
})

test('what went wrong is told without the URL', async () => {
  const nowhere = await receiver()
  await nowhere.stop()
  const sent = await sendTo(`${nowhere.url.replace('//', '//user:password@')}?key=secret`)
  expect(sent).toMatchObject({ outcome: 'failed', error: expect.stringContaining('ECONNREFUSED') })
  expect(JSON.stringify(sent)).not.toMatch(/password|secret/)
})
