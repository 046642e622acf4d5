export type IncidentKind = 'view_failing' | 'job_failing' | 'view_late'

export const INCIDENT_STATUSES = ['open', 'acknowledged', 'resolved', 'suppressed'] as const
export type IncidentStatus = (typeof INCIDENT_STATUSES)[number]

/** A row of `alert_incidents` as the API shows it; every time is an ISO text. */
export type Incident = {
  id: string
  kind: IncidentKind
  /** The name of the view or the job. */
  subject: string
  severity: 'warning' | 'error'
  status: IncidentStatus
  message: string
  details: Record<string, unknown>
  occurrences: number
  opened_at: string
  last_seen_at: string
  acknowledged_at: string | null
  acknowledged_by: string | null
  suppressed_at: string | null
  suppressed_by: string | null
  resolved_at: string | null
  resolved_by: string | null
}
