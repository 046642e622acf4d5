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
// It returns one row per tenant and variant, also for a tenant without any data: `tenant_id` (null in a merged row),
// the variant's value under the variant's name, and `data`, a JSON object. `data` is a function of the database,
// the parameters and the tenant's local day; it holds no clock time. The engine adds its last member, `meta`.

/** A table of the application that reports read. `tenantColumn` names the column that holds the tenant's id. */
export type Source = { tenantColumn: string }

/** A parameter with a known, short list of values, all of which are computed together and kept warm. */
export type Variant = {
  /** The query parameter, and the column of the report's rows that tells the variants apart. */
  param: string
  /** How the parameter is spelled in cache keys. */
  keyName: string
  values: readonly [string, ...string[]]
  default: string
}

export type Report<SourceName extends string = string> = {
  title: string
  reads: readonly SourceName[]
  /** The first part of every cache key of this report; `DOMAIN:REPORT` unless given. */
  key?: string
  /** A short name: in log lines, and in `/api/reports/ALIAS`. */
  alias?: string
  variant?: Variant
  /** Whether the SQL can restrict itself to a team, a person, or what one member may see. */
  scoped?: boolean
  /** Whether the SQL can merge all tenants into one row, for superadmins. */
  mergesTenants?: boolean
  /** Paths (`lists.recentLeads`) of the parts that each widget shows; a part no asked widget shows is left empty. */
  widgets?: Readonly<Record<string, readonly string[]>>
  /** The clock changes this report only at the tenant's local midnight, or never. */
  changesAt: 'local midnight' | 'never'
}

/** What a cron job's `function_name` does: warm a report for every active tenant (`all`), or only where the entry is no longer fresh. */
export type Job<ReportName extends string = string> = {
  warm: ReportName
  tenants: 'all' | 'expired'
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

/** Demo data is made by the statements in `demo/`, in the order of their names. */
export type Demo = { rowsPerTenant: number }

export type Domain<
  SourceName extends string = string,
  ReportName extends string = string,
  JobName extends string = string,
> = {
  /** Also the name of the PostgreSQL schema that holds the domain's tables. */
  name: string
  folder: string
  sources: Readonly<Record<SourceName, Source>>
  reports: Readonly<Record<ReportName, Report<NoInfer<SourceName>>>>
  jobs: Readonly<Record<JobName, Job<NoInfer<ReportName>>>>
  schedules: readonly Schedule<NoInfer<JobName>>[]
  demo?: Demo
}

// Only here for its types: a report that reads an unknown source, a job that warms an unknown report
// and a schedule that runs an unknown job do not compile.
export function defineDomain<
  const SourceName extends string,
  const ReportName extends string,
  const JobName extends string,
>(domain: Domain<SourceName, ReportName, JobName>): Domain<SourceName, ReportName, JobName> {
  return domain
}
