// Takes notifications from the outbox and sends them. A claim is a later `next_attempt_at`: what a process that dies had
// claimed is sent by another one then. Of one incident only the oldest waiting notification is sent, so that
// nobody hears of an end before the beginning.
import { MINUTE, SECOND } from '../clock.ts'
import type { Queryable } from '../db/index.ts'
import type { Log } from '../log.ts'
import type { Notification } from './notification.ts'
import { send, type Sent, type Webhook } from './send.ts'

export type DeliverParts = {
  db: Queryable
  now: Date
  webhook: Webhook
  log: Log
  signal: AbortSignal
}

const AT_ONCE = 10
const CLAIM_MS = MINUTE
const FIRST_PAUSE_MS = 5 * SECOND
const LONGEST_PAUSE_MS = 15 * MINUTE
/** Together about six hours. */
const ATTEMPTS = 30

/** One round. Resolves with the number of notifications that were tried. */
export async function deliver(parts: DeliverParts): Promise<number> {
  const claimed = await claim(parts)
  await Promise.all(claimed.map((notification) => attempt(parts, notification)))
  return claimed.length
}

/** How long to wait after so many attempts. */
export function pauseAfter(attempts: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** (attempts - 1), LONGEST_PAUSE_MS)
}

function claim({ db, now }: DeliverParts): Promise<Notification[]> {
  return db.query<Notification>(
    `update alert_notification n
     set attempts = n.attempts + 1, next_attempt_at = $2
     where number in (
       select number from alert_notification waiting
       where next_attempt_at <= $1 and not exists (
         select from alert_notification earlier
         where earlier.incident_id = waiting.incident_id and earlier.number < waiting.number
           and earlier.next_attempt_at is not null
       )
       order by number limit ${AT_ONCE}
       for update skip locked
     )
     returning number, id, event, incident, created_at as "createdAt", attempts`,
    [now, new Date(now.getTime() + CLAIM_MS)],
  )
}

async function attempt(parts: DeliverParts, notification: Notification): Promise<void> {
  const sent = await send(parts.webhook, notification, parts)
  if (sent.outcome === 'delivered') return settle(parts, notification, { deliveredAt: parts.now })
  const { id, event, attempts } = notification
  const about = { notification: id, event, attempts, error: sent.error }
  if (isForGood(sent, notification)) {
    parts.log.error(GIVEN_UP, about)
    await giveUp(parts, notification, about)
  } else {
    parts.log.warn('A notification could not be delivered; it is tried again.', about)
    const nextAttemptAt = new Date(parts.now.getTime() + pauseAfter(attempts))
    await settle(parts, notification, { error: sent.error, nextAttemptAt })
  }
}

const GIVEN_UP = 'A notification was given up.'

async function giveUp(
  parts: DeliverParts,
  notification: Notification,
  about: { error: string },
): Promise<void> {
  await settle(parts, notification, about)
  await parts.db.query(
    `insert into system_logs (operation, message, error_details, created_at)
     values ('notification_failed', $1, $2, $3)`,
    [GIVEN_UP, about, parts.now],
  )
}

function isForGood({ outcome }: Sent, { attempts }: Notification): boolean {
  return outcome === 'refused' || attempts >= ATTEMPTS
}

type Result = { deliveredAt?: Date; error?: string; nextAttemptAt?: Date }

// Unless the claim ran out and another process has it now.
async function settle(
  { db }: DeliverParts,
  { number, attempts }: Notification,
  { deliveredAt, error, nextAttemptAt }: Result,
): Promise<void> {
  await db.query(
    `update alert_notification set delivered_at = $3, last_error = $4, next_attempt_at = $5
     where number = $1 and attempts = $2`,
    [number, attempts, deliveredAt, error, nextAttemptAt],
  )
}
