import type { Queryable } from '../db/index.ts'

export type Tenant = {
  id: string
  name: string
  /** An IANA zone, such as `Europe/Berlin`. */
  timezone: string
}

/** All active tenants, the most recently seen first. */
export function listActiveTenants(db: Queryable): Promise<Tenant[]> {
  return db.query<Tenant>(`
    select id, name, timezone from tenant
    where is_active
    order by last_seen_at desc nulls last, id`)
}

/** An active tenant, or undefined. */
export async function findTenant(db: Queryable, id: string): Promise<Tenant | undefined> {
  const rows = await db.query<Tenant>(
    'select id, name, timezone from tenant where id = $1 and is_active',
    [id],
  )
  return rows[0]
}
