import type { RequestHandler } from 'express'
import * as z from 'zod'
import type { BustTarget } from '../../engine/cache/index.ts'
import { badRequest, PrewarmError } from '../../engine/errors.ts'
import type { Reports } from '../../engine/reports/index.ts'
import type { Principal } from '../../engine/tenancy/index.ts'
import { userOf } from '../access.ts'
import { TenantId, validate } from '../validate.ts'

export const ClearCacheBody = z.strictObject({
  tenant_id: TenantId.optional(),
  report: z.string().optional(),
})

export function clearCache(reports: Reports): RequestHandler {
  return async (request, response) => {
    const user = userOf(response, ['superadmin', 'admin'])
    const body = validate(ClearCacheBody, request.body ?? {}, 'body')
    const { target, name } = targetOf(reports, user, body)
    const entries = await reports.bust(target)
    response.json({
      status: 'success',
      message: `Cache cleared ${name}`,
      data: { cleared: true, entries },
    })
  }
}

function targetOf(
  { catalog }: Reports,
  user: Principal,
  { tenant_id, report }: z.output<typeof ClearCacheBody>,
): { target: BustTarget; name: string } {
  if (tenant_id !== undefined && report !== undefined) {
    throw badRequest('report', 'report: name a tenant or a report, not both')
  }
  if (report !== undefined) {
    if (user.role !== 'superadmin')
      throw new PrewarmError('forbidden', 'A report is cleared by superadmins.', { field: 'role' })
    if (!catalog.all.some(({ id }) => id === report))
      throw badRequest('report', `report: there is no report "${report}".`)
    return { target: { report }, name: `for report ${report}` }
  }
  const tenant = user.role === 'superadmin' ? tenant_id : ownTenant(user, tenant_id)
  return tenant === undefined
    ? { target: 'all', name: '(all tenants)' }
    : { target: { tenant }, name: `for tenant ${tenant}` }
}

/** An admin who names no tenant means his own. */
function ownTenant({ tenantId }: Principal, asked: string | undefined): string {
  if (tenantId !== null && (asked === undefined || asked === tenantId)) return tenantId
  throw new PrewarmError('not_found', 'There is no such tenant.', { field: 'tenant_id' })
}
