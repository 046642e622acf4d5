// What the receiver of a webhook gets: a message that Slack shows as it is, and the incident for programs.
import { createHmac } from 'node:crypto'
import { SECOND } from '../clock.ts'
import type { Incident } from './incident.ts'

/** One that this process has claimed. */
export type Notification = {
  number: string
  /** The same at every attempt, so that a receiver can tell a repetition. */
  id: string
  event: 'opened' | 'acknowledged' | 'resolved'
  /** As it was when that happened. */
  incident: Incident
  createdAt: Date
  attempts: number
}

/** The same bytes at every attempt. */
export function bodyOf({ id, event, incident, createdAt }: Notification): string {
  const text = textOf(event, incident)
  return JSON.stringify({
    text,
    blocks: [{ type: 'section', text: { type: 'mrkdwn', text: text.slice(0, SLACK_CHARACTERS) } }],
    notification_id: id,
    event: `incident.${event}`,
    occurred_at: createdAt.toISOString(),
    incident,
  })
}

// Slack refuses a longer section.
const SLACK_CHARACTERS = 3000

function textOf(event: Notification['event'], incident: Incident): string {
  const { acknowledged_by, resolved_by } = incident
  const head = {
    opened: `:rotating_light: *${incident.severity}*`,
    acknowledged: `:eyes: *acknowledged* by ${acknowledged_by}`,
    resolved: `:white_check_mark: *resolved* by ${resolved_by}`,
  }
  return escaped(`${head[event]}: ${incident.message}`)
}

// The three characters that mean something to Slack.
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** `t=SECONDS,v1=HEX`: the time is signed, too, so that a receiver can refuse what is old. */
export function signatureOf(secret: string, body: string, now: Date): string {
  const time = Math.floor(now.getTime() / SECOND)
  const hash = createHmac('sha256', secret).update(`${time}.${body}`).digest('hex')
  return `t=${time},v1=${hash}`
}
