/** Where the tenant's id stands in keys and answers of the report over all tenants. */
export const GLOBAL = 'SUPERADMIN_GLOBAL'

export type Role = 'superadmin' | 'admin' | 'member'

/** Who asks, from a verified token. */
export type Principal = {
  /** The user's id; for members a uuid, because records are assigned to it. */
  subject: string
  role: Role
  /** Null for a superadmin who belongs to no tenant. */
  tenantId: string | null
  teamIds: readonly string[]
}

/**
 * Which records of which tenant an answer may show. `visibleTo` restricts a member to his own records, those
 * of his teams and those that nobody owns; `teamId` and `assignedTo` are drill-downs within that.
 */
export type Scope = {
  tenantId: string
  visibleTo: { userId: string; teamIds: readonly string[] } | null
  teamId: string | null
  assignedTo: string | null
}
