// What people do with incidents.
import * as z from 'zod'
import { PrewarmError } from '../errors.ts'
import type { Page } from '../jobs/index.ts'
import type { Queryable } from '../db/index.ts'
import { changeIncidents, type ChangeParts } from './change-incidents.ts'
import type { Incident, IncidentStatus } from './incident.ts'

export type IncidentPage = { alerts: Incident[]; total: number; page: number; pageSize: number }

export type Incidents = {
  /** Those with one of the statuses, the newest first. */
  list(statuses: readonly IncidentStatus[], page: Page): Promise<IncidentPage>
  acknowledge: ByHand
  resolve: ByHand
  suppress: ByHand
}

/** Rejects with `not_found`, or with `conflict` when the incident's status does not allow it. */
type ByHand = (id: string, who: string) => Promise<Incident>

type Transition = {
  event: 'acknowledged' | 'resolved' | 'suppressed'
  from: readonly IncidentStatus[]
}

const ACKNOWLEDGE: Transition = { event: 'acknowledged', from: ['open'] }
const RESOLVE: Transition = { event: 'resolved', from: ['open', 'acknowledged', 'suppressed'] }
const SUPPRESS: Transition = { event: 'suppressed', from: ['open', 'acknowledged'] }

/** `parts` tells the present moment, each time that it is called. */
export function createIncidents(parts: () => ChangeParts): Incidents {
  return {
    list: (statuses, page) => list(parts().db, statuses, page),
    acknowledge: (id, who) => change(parts(), ACKNOWLEDGE, id, who),
    resolve: (id, who) => change(parts(), RESOLVE, id, who),
    suppress: (id, who) => change(parts(), SUPPRESS, id, who),
  }
}

async function list(
  db: Queryable,
  statuses: readonly IncidentStatus[],
  { page, pageSize }: Page,
): Promise<IncidentPage> {
  const [rows, counted] = await Promise.all([
    db.query<{ alert: Incident }>(
      `select incident_as_json(i) as alert from alert_incidents i where status = any ($1)
       order by opened_at desc, id limit $2 offset $3`,
      [statuses, pageSize, (page - 1) * pageSize],
    ),
    db.query<{ total: number }>(
      'select count(*)::integer as total from alert_incidents where status = any ($1)',
      [statuses],
    ),
  ])
  return { alerts: rows.map(({ alert }) => alert), total: counted[0]?.total ?? 0, page, pageSize }
}

async function change(
  parts: ChangeParts,
  { event, from }: Transition,
  id: string,
  who: string,
): Promise<Incident> {
  if (!z.guid().safeParse(id).success)
    throw new PrewarmError('bad_request', 'id: must be a uuid', { field: 'id' })
  const [changed] = await changeIncidents(
    parts,
    event,
    `update alert_incidents i
     set status = $2, ${event}_at = $1, ${event}_by = $6
     from (select id, status from alert_incidents where id = $4 and status = any ($5) for update) before
     where i.id = before.id
     returning i as incident, before.status as was`,
    [id, from, who],
  )
  return changed ?? refuse(parts.db, id, event)
}

async function refuse(db: Queryable, id: string, event: string): Promise<never> {
  const [incident] = await db.query<{ status: IncidentStatus }>(
    'select status from alert_incidents where id = $1',
    [id],
  )
  if (!incident) throw new PrewarmError('not_found', 'There is no such alert.', { field: 'id' })
  const message = `The alert is ${incident.status}, so it cannot be ${event}.`
  throw new PrewarmError('conflict', message, { field: 'status' })
}
