// Every change of incidents is one statement with what follows from it: the line in system_logs and, unless nobody is to be
// notified, the notification. So none of them is there without the others.
import type { Queryable } from '../db/index.ts'
import type { Incident } from './incident.ts'

export type IncidentEvent = 'opened' | 'acknowledged' | 'resolved' | 'suppressed'

export type ChangeParts = {
  db: Queryable
  now: Date
  /** Whether there is somebody to notify. */
  notifies: boolean
}

/**
 * Resolves with the incidents that were changed. `change` is a statement whose values begin at $4, and $1 is the time. It
 * returns the rows that it changed as `incident`, and the status of each before as `was`.
 */
export async function changeIncidents(
  { db, now, notifies }: ChangeParts,
  event: IncidentEvent,
  change: string,
  values: readonly unknown[],
): Promise<Incident[]> {
  const rows = await db.query<{ incident: Incident }>(
    `with changed as (${change}),
     logged as (
       insert into system_logs (operation, message, error_details, created_at)
       select 'incident_' || $2, (incident).message, incident_as_json(incident), $1 from changed
     ),
     notified as (
       insert into alert_notification (incident_id, event, incident, created_at, next_attempt_at)
       select (incident).id, $2, incident_as_json(incident), $1, $1 from changed
       where $3 and $2 <> 'suppressed' and was is distinct from 'suppressed'
     ),
     dropped as (
       update alert_notification n
       set next_attempt_at = null, last_error = 'The incident was suppressed before.'
       from changed
       where $2 = 'suppressed' and n.incident_id = (changed.incident).id and n.next_attempt_at is not null
     )
     select incident_as_json(incident) as incident from changed`,
    [now, event, notifies, ...values],
  )
  return rows.map(({ incident }) => incident)
}
