// One evaluation, top to bottom. Every instance makes it, and the unique index lets one of them open an incident.
import type { Queryable } from '../db/index.ts'
import { changeIncidents, type ChangeParts } from './change-incidents.ts'
import { decide, type Trouble, type Unresolved } from './decide.ts'
import { readEvidence } from './evidence.ts'
import type { Incident } from './incident.ts'

export type Evaluated = { opened: Incident[]; resolved: Incident[] }

/** `marginMs` is how much older than its target lag a view may be. */
export async function evaluate(parts: ChangeParts & { marginMs: number }): Promise<Evaluated> {
  // Before the evidence: what was seen when an incident was opened is seen here, too.
  const unresolved = await readUnresolved(parts.db)
  const { troubles, recovered } = decide(await readEvidence(parts.db), unresolved, parts)
  if (troubles.length > 0) await seeAgain(parts, troubles)
  return {
    opened: troubles.length > 0 ? await openIncidents(parts, troubles) : [],
    resolved: recovered.length > 0 ? await resolveIncidents(parts, recovered) : [],
  }
}

function readUnresolved(db: Queryable): Promise<Unresolved[]> {
  return db.query<Unresolved>(
    `select id, kind, subject, cause_at as "causeAt"
     from alert_incidents where status <> 'resolved'`,
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
