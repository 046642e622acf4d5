// Who may see what: decided from the verified token before any key is made.
import type { Response } from 'express'
import { badRequest, PrewarmError } from '../engine/errors.ts'
import type { InstalledReport } from '../engine/reports/index.ts'
import { GLOBAL, type Principal, type Role, type Scope } from '../engine/tenancy/index.ts'
import { callerOf } from './authentication.ts'

/** The user behind the request, or `forbidden` when it is a scheduler or has another role. */
export function userOf(response: Response, roles?: readonly Role[]): Principal {
  const caller = callerOf(response)
  const role = caller.kind === 'user' ? caller.principal.role : caller.kind
  if (caller.kind === 'user' && (!roles || roles.includes(caller.principal.role))) {
    return caller.principal
  }
  const needed = (roles ?? ['superadmin', 'admin', 'member']).join(' or ')
  throw new PrewarmError('forbidden', `This needs the role ${needed}; the token says ${role}.`, {
    field: 'role',
  })
}

/** Under which of its paths a report was asked for: one of those that every report has, or its own. */
export type Door = 'generic' | 'own'

export type AskedScope = {
  tenant_id?: string | undefined
  team_id?: string | undefined
  assigned_to?: string | undefined
}

type AskedOf = { report: InstalledReport; door: Door }

/** The scope that the caller may have of what was asked; rejects what is foreign to him, naming the field. */
export function scopeOf(principal: Principal, asked: AskedScope, of: AskedOf): Scope {
  const { report } = of
  const tenantId = tenantOf(principal, asked, of)
  const teamId = asked.team_id ?? null
  const assignedTo = asked.assigned_to ?? null
  checkDrillDown(report, tenantId, asked)
  if (principal.role !== 'member') return { tenantId, visibleTo: null, teamId, assignedTo }
  if (!report.scoped) {
    if (report.isForMembers) return { tenantId, visibleTo: null, teamId, assignedTo }
    throw new PrewarmError('forbidden', 'This report is not for members.', { field: 'role' })
  }
  checkMember(principal, asked)
  const visibleTo = { userId: principal.subject, teamIds: principal.teamIds }
  return { tenantId, visibleTo, teamId, assignedTo }
}

function tenantOf(
  principal: Principal,
  { tenant_id }: AskedScope,
  { report, door }: AskedOf,
): string {
  const { role, tenantId } = principal
  const field = report.tenantParam ?? 'tenant_id'
  if (tenant_id !== undefined) {
    if (role === 'superadmin' || tenant_id === tenantId) return tenant_id
    throw new PrewarmError('not_found', 'There is no such tenant.', { field })
  }
  // Under its own path a report is the caller's tenant's.
  if (door === 'own' && tenantId !== null) return tenantId
  if (role === 'superadmin' && report.mergesTenants) return GLOBAL
  throw badRequest(field, `${field} is required`)
}

function checkDrillDown(report: InstalledReport, tenantId: string, asked: AskedScope): void {
  const field = (['team_id', 'assigned_to'] as const).find((name) => asked[name] !== undefined)
  if (!field) return
  if (!report.scoped) throw badRequest(field, `This report has no drill-down by ${field}.`)
  if (tenantId === GLOBAL) throw badRequest(field, `${field} needs a tenant_id.`)
}

function checkMember({ subject, teamIds }: Principal, { team_id, assigned_to }: AskedScope): void {
  if (team_id !== undefined && !teamIds.includes(team_id)) {
    throw new PrewarmError('forbidden', 'You are not in this team.', { field: 'team_id' })
  }
  if (assigned_to !== undefined && assigned_to !== subject && teamIds.length === 0) {
    throw new PrewarmError('forbidden', 'You may see your own records only.', {
      field: 'assigned_to',
    })
  }
}
