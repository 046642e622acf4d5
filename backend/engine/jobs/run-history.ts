import * as z from 'zod'
import type { Queryable } from '../db/index.ts'
import type { RunStatus } from './ledger.ts'

/** A row of `job_runs` as the API shows it; every time is an ISO text. */
export type Run = {
  id: string
  cron_job_id: string | null
  tenant_id: string | null
  job_name: string
  function_name: string
  /** `refresh`: of a view, by its policies. */
  kind: 'cron' | 'manual' | 'refresh'
  slot: string | null
  status: RunStatus
  attempt: number
  processed_count: number | null
  success_count: number | null
  failure_count: number | null
  started_at: string
  finished_at: string | null
  duration_ms: number | null
  message: string | null
  error_message: string | null
  triggered_by: string
  metadata: Record<string, unknown>
  created_at: string
}

export type RunFilter = {
  cronJobId?: string | undefined
  /** One spelling of the name, or several. */
  functionNames?: readonly string[] | undefined
  status?: RunStatus | undefined
  kinds?: readonly Run['kind'][] | undefined
  /** Only runs made for this tenant alone. Runs for all tenants name other tenants in their details. */
  tenantId?: string | undefined
}

/** `page` counts from 1. */
export type Page = { page: number; pageSize: number }

type Time = 'slot' | 'started_at' | 'finished_at' | 'created_at'
type RunRow = Omit<Run, Time> & {
  slot: Date | null
  started_at: Date
  finished_at: Date | null
  created_at: Date
}

const COLUMNS = `
  id, cron_job_id, tenant_id, job_name, function_name, kind, slot, status, attempt, processed_count,
  success_count, failure_count, started_at, finished_at, duration_ms, message, error_message,
  triggered_by, metadata, created_at`

const MATCHES = `
  ($1::uuid is null or cron_job_id = $1) and ($2::text[] is null or function_name = any ($2))
  and ($3::text is null or status = $3) and ($4::uuid is null or tenant_id = $4)
  and ($5::text[] is null or kind = any ($5))`

/** The newest runs first. */
export async function listRuns(
  db: Queryable,
  filter: RunFilter,
  { page, pageSize }: Page,
): Promise<{ runs: Run[]; total: number; page: number; pageSize: number }> {
  const values = [
    filter.cronJobId,
    filter.functionNames,
    filter.status,
    filter.tenantId,
    filter.kinds,
  ]
  const [rows, counted] = await Promise.all([
    db.query<RunRow>(
      `select ${COLUMNS} from job_runs where ${MATCHES}
       order by started_at desc, id limit $6 offset $7`,
      [...values, pageSize, (page - 1) * pageSize],
    ),
    db.query<{ total: number }>(
      `select count(*)::integer as total from job_runs where ${MATCHES}`,
      values,
    ),
  ])
  return { runs: rows.map(runOf), total: counted[0]?.total ?? 0, page, pageSize }
}

export async function findRun(db: Queryable, id: string): Promise<Run | undefined> {
  if (!z.guid().safeParse(id).success) return undefined
  const rows = await db.query<RunRow>(`select ${COLUMNS} from job_runs where id = $1`, [id])
  return rows.map(runOf)[0]
}

function runOf(row: RunRow): Run {
  return {
    ...row,
    slot: row.slot?.toISOString() ?? null,
    started_at: row.started_at.toISOString(),
    finished_at: row.finished_at?.toISOString() ?? null,
    created_at: row.created_at.toISOString(),
  }
}
