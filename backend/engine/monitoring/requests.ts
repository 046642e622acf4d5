import type { Queryable } from '../db/index.ts'

/** A row of `api_logs`. */
export type LoggedRequest = {
  endpoint: string
  method: string
  status: number
  responseTimeMs: number
  cacheState: string | null
  tenantId: string | null
  /** Milliseconds since 1970. */
  at: number
}

export async function writeRequests(
  db: Queryable,
  requests: readonly LoggedRequest[],
): Promise<void> {
  await db.query(
    `insert into api_logs (endpoint, method, status, response_time_ms, cache_state, tenant_id, created_at)
     select endpoint, method, status, response_time_ms, cache_state, tenant_id, to_timestamp(at / 1000)
     from unnest($1::text[], $2::text[], $3::integer[], $4::float8[], $5::text[], $6::uuid[], $7::float8[])
       as request (endpoint, method, status, response_time_ms, cache_state, tenant_id, at)`,
    [
      requests.map(({ endpoint }) => endpoint),
      requests.map(({ method }) => method),
      requests.map(({ status }) => status),
      requests.map(({ responseTimeMs }) => responseTimeMs),
      requests.map(({ cacheState }) => cacheState),
      requests.map(({ tenantId }) => tenantId),
      requests.map(({ at }) => at),
    ],
  )
}
