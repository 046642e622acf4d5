import { createHash } from 'node:crypto'
import type { EntryId } from '../cache/index.ts'
import { GLOBAL, type Scope } from '../tenancy/index.ts'
import type { InstalledReport } from './catalog.ts'

/** What one reader asks for; together with the report it names one entry. */
export type ReportRequest = {
  report: InstalledReport
  scope: Scope
  /** One of the values of the report's variant; null for a report without. */
  variant: string | null
  /** Those of the report's `params` that were given, none of them empty. */
  params?: Params
}

export type Params = Readonly<Record<string, string>>

/** The scope of a report over everything that a tenant has: what is warmed. */
export function wholeTenant(tenantId: string): Scope {
  return { tenantId, visibleTo: null, teamId: null, assignedTo: null }
}

/**
 * The one place where cache keys are made: `dashboard:bundle:{tenant}:include={true|false}`, then, for those who see
 * less, `:user={id}`, `:teams={ids}`, for drill-downs `:team={id}` and `:emp={id}`, and last what was given of the report's own
 * parameters, `:?{name}={value}&…`.
 */
export function entryIdOf({ report, scope, variant, params }: ReportRequest): EntryId {
  const parts = [
    report.key,
    scope.tenantId,
    ...(report.variant ? [`${report.variant.keyName}=${variant}`] : []),
    ...(scope.visibleTo ? [`user=${scope.visibleTo.userId}`] : []),
    ...(scope.visibleTo?.teamIds.length
      ? [`teams=${scope.visibleTo.teamIds.toSorted().join('_')}`]
      : []),
    ...(scope.teamId ? [`team=${scope.teamId}`] : []),
    ...(scope.assignedTo ? [`emp=${scope.assignedTo}`] : []),
    ...paramsPart(params),
  ]
  return { key: parts.join(':'), tenant: scope.tenantId, report: report.id }
}

/** Longer parameters stand in the key as their hash. */
const LONGEST_PARAMS = 200

// The encoding leaves nothing of a value that could end it: no space, colon, ampersand or control character.
function paramsPart(params: Params = {}): string[] {
  const sorted = Object.entries(params).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const text = new URLSearchParams(sorted).toString()
  if (text === '') return []
  return [text.length > LONGEST_PARAMS ? `#${hashOf(text)}` : `?${text}`]
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

export type ScopeName = 'global' | 'tenant' | 'team' | 'employee' | 'auto'

/** What `meta.scope` says; `auto` is the restriction that a member's own token brings. */
export function scopeName(scope: Scope): ScopeName {
  if (scope.assignedTo) return 'employee'
  if (scope.teamId) return 'team'
  if (scope.visibleTo) return 'auto'
  return scope.tenantId === GLOBAL ? 'global' : 'tenant'
}
