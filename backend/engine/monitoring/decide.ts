// The rules, decided from what the tables say; no clock and no database.
import { SECOND } from '../clock.ts'
import {
  TOLERATED_FAILURES,
  type Evidence,
  type JobEvidence,
  type ViewEvidence,
} from './evidence.ts'
import type { Incident, IncidentKind } from './incident.ts'

/** Something that is wrong now. */
export type Trouble = Pick<Incident, 'kind' | 'subject' | 'severity' | 'message' | 'details'> & {
  occurrences: number
  /** The newest failure, or the refresh that is too long ago. */
  causeAt: Date
}

/** An incident that is not resolved. */
export type Unresolved = { id: string; kind: IncidentKind; subject: string; causeAt: Date }

export type Verdict = { troubles: Trouble[]; recovered: Unresolved[] }

export function decide(
  evidence: Evidence,
  unresolved: readonly Unresolved[],
  { now, marginMs }: { now: Date; marginMs: number },
): Verdict {
  const troubles = [
    ...evidence.views.filter(isFailing).map(failingView),
    ...evidence.jobs.filter(isFailing).map(failingJob),
    ...evidence.views
      .filter((view) => isLate(view, now, marginMs))
      .map((view) => lateView(view, now)),
  ]
  const isOver = (incident: Unresolved): boolean =>
    !troubles.some(({ kind, subject }) => kind === incident.kind && subject === incident.subject)
  return {
    troubles,
    recovered: unresolved.filter((one) => isOver(one) && hasRecovered(one, evidence)),
  }
}

// Clocks of instances differ a little, so that a view can be late for one and not for another. Only a refresh since ends it.
function hasRecovered({ kind, subject, causeAt }: Unresolved, { views }: Evidence): boolean {
  if (kind !== 'view_late') return true
  const view = views.find(({ name }) => name === subject)
  return view === undefined || view.lastSuccessAt > causeAt
}

function isFailing({ failures }: { failures: number }): boolean {
  return failures > TOLERATED_FAILURES
}

function isLate(
  { lastSuccessAt, targetLagSeconds }: ViewEvidence,
  now: Date,
  marginMs: number,
): boolean {
  return now.getTime() - lastSuccessAt.getTime() > targetLagSeconds * SECOND + marginMs
}

function failingView({
  name,
  failures,
  lastError,
  lastSuccessAt,
  lastFailureAt,
}: ViewEvidence): Trouble {
  return {
    kind: 'view_failing',
    subject: name,
    severity: 'error',
    message: `The view ${name} could not be refreshed ${failures} times in a row: ${lastError ?? 'no reason is known'}`,
    details: { last_success_at: lastSuccessAt.toISOString(), error: lastError },
    occurrences: failures,
    causeAt: lastFailureAt ?? lastSuccessAt,
  }
}

function failingJob({ name, failures, lastError, lastFailureAt }: JobEvidence): Trouble {
  return {
    kind: 'job_failing',
    subject: name,
    severity: 'error',
    message: `The job "${name}" failed ${failures} times in a row: ${lastError ?? 'no reason is known'}`,
    details: { error: lastError },
    occurrences: failures,
    causeAt: lastFailureAt,
  }
}

function lateView(
  { name, lastSuccessAt, lastFailureAt, lastError, targetLagSeconds }: ViewEvidence,
  now: Date,
): Trouble {
  const age = Math.round((now.getTime() - lastSuccessAt.getTime()) / SECOND)
  const hasFailed = lastFailureAt !== null && lastFailureAt > lastSuccessAt
  return {
    kind: 'view_late',
    subject: name,
    severity: 'warning',
    message: `The view ${name} is ${age} seconds old; its target is ${targetLagSeconds} seconds.`,
    details: { last_success_at: lastSuccessAt.toISOString(), error: hasFailed ? lastError : null },
    occurrences: 1,
    causeAt: hasFailed ? lastFailureAt : lastSuccessAt,
  }
}
