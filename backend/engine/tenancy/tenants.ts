import { arrayLiteral, type Queryable } from '../db/index.ts'

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

/** Those that are active, the most recently seen first. */
export function findTenants(db: Queryable, ids: readonly string[]): Promise<Tenant[]> {
  return db.query<Tenant>(
    `select id, name, timezone from tenant
     where is_active and id = any ($1::uuid[])
     order by last_seen_at desc nulls last, id`,
    [arrayLiteral(ids)],
  )
}

/** An active tenant, or undefined. */
export async function findTenant(db: Queryable, id: string): Promise<Tenant | undefined> {
  const rows = await db.query<Tenant>(
    'select id, name, timezone from tenant where id = $1 and is_active',
    [id],
  )
  return rows[0]
}
