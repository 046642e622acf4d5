// The contract between the engine and a domain. A domain is a value, not code that runs: it says
// what it has, and the engine decides when to install, warm and serve it.
//
// The SQL lies beside it, and the name is the file: the report `dashboard_bundle` is
// `reports/dashboard_bundle.sql`, one statement that answers for one tenant or for ten thousand.
//
// It is given, each as text: `:'tenant_ids'` (a uuid[] literal) and `:'now'` (a timestamp); its variant, if it
// has one, as an array of the wanted values; if it is scoped `:'visible_to'` (a user's uuid, or empty: everything),
// `:'visible_teams'` (a uuid[] literal), `:'team_id'` and `:'assigned_to'` (uuids, or empty: no drill-down); and if
// it merges tenants `:'merge'` (`true` or `false`).
//
// A report with `params` is given each of them by its name, as text; one that was not asked for is the empty text.
//
// It returns one row per tenant and variant, also for a tenant without any data: `tenant_id` (null in a merged row),
// the variant's value under the variant's name, and `data`, a JSON object or the text of one. `data` is a function of
// the database, the parameters and the tenant's local day; it holds no clock time. The engine adds its last member, `meta`.
//
// A view is one `select` in `views/NAME.sql`; the engine creates the materialized view `NAME` in the domain's schema, with the
// unique index that `uniqueBy` names, keeps it refreshed by its policies, and rebuilds it when the text changes. Names in
// a view are qualified with their schema, and there is no `now()` in it that could be avoided. View names are unique over all domains, because
// reports read them by their plain names: so that `PREWARM_VIEWS=off` can put the select in the view's place.
import type * as z from 'zod'

/** A table of the application that views and reports read. `TenantColumn` names the column that holds the tenant's uuid. */
export type Source<TenantColumn extends string = string> = {
  tenantColumn: TenantColumn
  /** Where it lies, as `schema.table`; under its own name in the domain's schema unless given. */
  table?: string
  /** `false` for a table that may have no triggers: nothing is known of its changes then. */
  isTracked?: boolean
}

/** When a view is refreshed without being asked; any policy that is due is enough. For slots of the calendar there are cron jobs that `refresh`. */
export type RefreshPolicy =
  /** When the last refresh began this long ago; given `from` and `to` (`06:00`), only between these times of day in `timezone` (UTC unless given). */
  | { everySeconds: number; from?: string; to?: string; timezone?: string }
  /** This long after the first change of something that the view reads. */
  | { onChange: true; debounceSeconds: number }
  /** On `POST /api/admin/events {"name": …}`. */
  | { onEvent: string }
  /** When a new day has begun for some tenant. */
  | { atLocalMidnight: true }

export type View<ReadName extends string = string, TenantColumn extends string = string> = {
  /** Columns that tell its rows apart, none of them ever null; the tenant's comes first. */
  uniqueBy: readonly [TenantColumn, ...string[]]
  reads: readonly ReadName[]
  refresh: readonly RefreshPolicy[]
  /** Older than this it counts as stale. */
  targetLagSeconds: number
  /** Columns of further indexes. */
  indexes?: readonly (readonly [string, ...string[]])[]
  /** The longest that a refresh may take; 300 unless given. */
  timeoutSeconds?: number
}

/** A parameter with a known, short list of values, all of which are computed together and kept warm. */
export type Variant = {
  /** The query parameter, and the column of the report's rows that tells the variants apart. */
  param: string
  /** How the parameter is spelled in cache keys. */
  keyName: string
  values: readonly [string, ...string[]]
  default: string
}

export type Report<ReadName extends string = string> = {
  title: string
  reads: readonly ReadName[]
  /** The first part of every cache key of this report; `DOMAIN:REPORT` unless given. */
  key?: string
  /** A short name: in log lines, and in `/api/reports/ALIAS`. */
  alias?: string
  variant?: Variant
  /**
   * Query parameters, each from text to text (such as `z.iso.date()`), all optional. The answer without any of them is kept warm; others
   * are computed when they are asked for, and kept like any entry.
   */
  params?: z.ZodObject<Record<string, z.ZodType<string | undefined, string | undefined>>>
  /** Also served under this path, such as `/api/customers`. The tenant is the token's own unless asked for. */
  path?: `/api/${string}`
  /** Another name of the query parameter `tenant_id`, such as `workspace_id`. */
  tenantParam?: string
  /** Under its `path` the answer is the data alone, without the envelope and without `meta`. */
  isBare?: boolean
  /** Whether the SQL can restrict itself to a team, a person, or what one member may see. */
  scoped?: boolean
  /** Whether members may see all of it, though it is not scoped. */
  isForMembers?: boolean
  /** Whether the SQL can merge all tenants into one row, for superadmins. */
  mergesTenants?: boolean
  /** Paths (`lists.recentLeads`) of the parts that each widget shows; a part no asked widget shows is left empty. */
  widgets?: Readonly<Record<string, readonly string[]>>
  /** The clock changes this report only at the tenant's local midnight, or never. */
  changesAt: 'local midnight' | 'never'
}

/**
 * What a cron job's `function_name` does: warm a report for every active tenant (`all`) or only where the entry is no longer
 * fresh (`expired`); or refresh views, each unless it was refreshed since the slot.
 */
export type Job<ReportName extends string = string, ViewName extends string = string> =
  | WarmJob<ReportName>
  | RefreshJob<ViewName>

export type WarmJob<ReportName extends string = string> = {
  warm: ReportName
  tenants: 'all' | 'expired'
}

export type RefreshJob<ViewName extends string = string> = {
  refresh: readonly [ViewName, ...ViewName[]]
}

export type Schedule<JobName extends string = string> = {
  name: string
  /** A schedule in the grammar of `cron/schedule.ts`, such as `cron:0 0 * * *`. */
  at: string
  run: JobName
  /** An IANA zone, or `tenant` for each tenant's own; UTC unless given. */
  timezone?: string
  misfire?: 'skip' | 'once'
  overlap?: 'skip' | 'queue'
  isActive?: boolean
}

/**
 * A path under which views are refreshed over HTTP: `POST` refreshes them. With an admin's token, the cron secret, or the
 * setting MATERIALIZED_VIEWS_REFRESH_TOKEN as `x-refresh-token`.
 */
export type RefreshEndpoint<ViewName extends string = string> = {
  path: `/api/${string}`
  views: readonly [ViewName, ...ViewName[]]
  /** What `GET` does: refresh too, for platforms whose schedulers can only GET, or tell how fresh the views are. */
  onGet: 'refresh' | 'freshness'
}

/** Demo data is made by the statements in `demo/`, in the order of their names. */
export type Demo = { rowsPerTenant: number }

export type Domain<
  SourceName extends string = string,
  ViewName extends string = string,
  ReportName extends string = string,
  JobName extends string = string,
  TenantColumn extends string = string,
> = {
  /** Also the name of the PostgreSQL schema that holds the domain's tables. */
  name: string
  folder: string
  sources: Readonly<Record<SourceName, Source<TenantColumn>>>
  views?: Readonly<Record<ViewName, View<NoInfer<SourceName | ViewName>, NoInfer<TenantColumn>>>>
  reports: Readonly<Record<ReportName, Report<NoInfer<SourceName | ViewName>>>>
  jobs: Readonly<Record<JobName, Job<NoInfer<ReportName>, NoInfer<ViewName>>>>
  schedules: readonly Schedule<NoInfer<JobName>>[]
  refreshEndpoints?: readonly RefreshEndpoint<NoInfer<ViewName>>[]
  demo?: Demo
}

// Only here for its types: what reads an unknown source or view, a view whose key does not begin with the tenant, a job that
// warms an unknown report or refreshes an unknown view, and a schedule that runs an unknown job do not compile.
export function defineDomain<
  const SourceName extends string,
  const ReportName extends string,
  const JobName extends string,
  const ViewName extends string = never,
  const TenantColumn extends string = string,
>(
  domain: Domain<SourceName, ViewName, ReportName, JobName, TenantColumn>,
): Domain<SourceName, ViewName, ReportName, JobName, TenantColumn> {
  return domain
}
