// One evaluation, top to bottom. Every instance makes it, and the unique index lets one of them open an incident.
import { changeIncidents, type ChangeParts } from './change-incidents.ts'
import { decide, type Trouble, type Unresolved } from './decide.ts'
import { readEvidence } from './evidence.ts'
import type { Incident } from './incident.ts'

export type Evaluated = { opened: Incident[]; resolved: Incident[] }

export type EvaluateParts = ChangeParts & {
  /** How much older than its target lag a view may be. */
  marginMs: number
  /** Whose views are watched. */
  domains: readonly string[]
}

export async function evaluate(parts: EvaluateParts): Promise<Evaluated> {
  // Before the evidence: what was seen when an incident was opened is seen here, too.
  const unresolved = await readUnresolved(parts)
  const { troubles, recovered } = decide(await readEvidence(parts.db, parts), unresolved, parts)
  if (troubles.length > 0) await seeAgain(parts, troubles)
  return {
    opened: troubles.length > 0 ? await openIncidents(parts, troubles) : [],
    resolved: recovered.length > 0 ? await resolveIncidents(parts, recovered) : [],
  }
}

// That of a view which is gone is anybody's.
function readUnresolved({ db, domains }: EvaluateParts): Promise<Unresolved[]> {
  return db.query<Unresolved>(
    `select id, kind, subject, cause_at as "causeAt"
     from alert_incidents
     where status <> 'resolved' and not (
       kind in ('view_failing', 'view_late')
       and exists (select from view_state where view_name = subject and domain <> all ($1))
     )`,
    [domains],
  )
}

const TROUBLE = `
  t (kind text, subject text, severity text, message text, details jsonb, occurrences integer, "causeAt" timestamptz)`

// Whatever its status, an incident with the same cause or a newer one says that this one is known already.
function openIncidents(parts: ChangeParts, troubles: readonly Trouble[]): Promise<Incident[]> {
  return changeIncidents(
    parts,
    'opened',
    `insert into alert_incidents as i
       (kind, subject, severity, message, details, occurrences, cause_at, opened_at, last_seen_at)
     select kind, subject, severity, message, details, occurrences, "causeAt", $1, $1
     from jsonb_to_recordset($4::jsonb) as ${TROUBLE}
     where not exists (
       select from alert_incidents known
       where known.kind = t.kind and known.subject = t.subject and known.cause_at >= t."causeAt"
     )
     on conflict (kind, subject) where status <> 'resolved' do nothing
     returning i as incident, null as was`,
    [JSON.stringify(troubles)],
  )
}

async function seeAgain({ db, now }: ChangeParts, troubles: readonly Trouble[]): Promise<void> {
  await db.query(
    `update alert_incidents i
     set occurrences = greatest(i.occurrences + 1, t.occurrences), message = t.message,
         details = t.details, cause_at = t."causeAt", last_seen_at = $1
     from jsonb_to_recordset($2::jsonb) as ${TROUBLE}
     where i.kind = t.kind and i.subject = t.subject and i.status <> 'resolved'
       and i.cause_at < t."causeAt"`,
    [now, JSON.stringify(troubles)],
  )
}

// Only if nothing has happened since it was looked at: another instance may have seen a further failure.
function resolveIncidents(
  parts: ChangeParts,
  recovered: readonly Unresolved[],
): Promise<Incident[]> {
  return changeIncidents(
    parts,
    'resolved',
    `update alert_incidents i set status = 'resolved', resolved_at = $1, resolved_by = 'system'
     from jsonb_to_recordset($4::jsonb) as r (id uuid, "causeAt" timestamptz), alert_incidents before
     where i.id = r.id and before.id = r.id and i.status <> 'resolved'
       and i.cause_at = r."causeAt"
     returning i as incident, before.status as was`,
    [JSON.stringify(recovered)],
  )
}
