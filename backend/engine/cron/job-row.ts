import * as z from 'zod'
import type { Db, Queryable } from '../db/index.ts'
import { TENANT_ZONE } from './timezone.ts'

/** A row of `cron_job`, and the zones in which it is due. */
export type JobRow = {
  id: string
  tenant_id: string | null
  name: string
  schedule: string
  function_name: string
  is_active: boolean
  last_run: Date | null
  next_run: Date | null
  metadata: Record<string, unknown>
  timezone: string
  misfire: 'skip' | 'once'
  overlap: 'skip' | 'queue'
  timeout_seconds: number
  max_attempts: number
  paused_reason: string | null
  created_at: Date
  updated_at: Date
  /** Its own zone, or those of the active tenants that it is for. */
  zones: string[]
}

/** For `select ${JOB_COLUMNS} from cron_job c` and `returning`. Times are cut to the milliseconds that a Date holds. */
export const JOB_COLUMNS = `
  c.id, c.tenant_id, c.name, c.schedule, c.function_name, c.is_active, c.last_run,
  date_trunc('milliseconds', c.next_run) as next_run, c.metadata, c.timezone, c.misfire, c.overlap,
  c.timeout_seconds, c.max_attempts, c.paused_reason, c.created_at, c.updated_at,
  case when c.timezone <> '${TENANT_ZONE}' then array[c.timezone]
       else array(select distinct t.timezone from tenant t
                  where t.is_active and (c.tenant_id is null or t.id = c.tenant_id)
                  order by t.timezone)
  end as zones`

/** Active jobs that have no plan, or whose plan depends on which tenants there are. */
export function jobsToPlan(db: Db, now: Date): Promise<JobRow[]> {
  return db.query<JobRow>(
    `select ${JOB_COLUMNS} from cron_job c
     where c.is_active and (c.next_run is null or c.timezone = $1 and c.next_run > $2)
     order by c.id`,
    [TENANT_ZONE, now],
  )
}

export function dueJobs(db: Db, now: Date): Promise<JobRow[]> {
  return db.query<JobRow>(
    `select ${JOB_COLUMNS} from cron_job c
     where c.is_active and c.next_run <= $1
     order by c.next_run, c.id`,
    [now],
  )
}

export async function findJob(
  db: Queryable,
  id: string,
  lock: 'for update' | '' = '',
): Promise<JobRow | undefined> {
  if (!z.guid().safeParse(id).success) return undefined
  const rows = await db.query<JobRow>(
    `select ${JOB_COLUMNS} from cron_job c where c.id = $1 ${lock}`,
    [id],
  )
  return rows[0]
}
