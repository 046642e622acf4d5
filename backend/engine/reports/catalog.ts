import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { compileSql, type CompiledSql } from '../db/index.ts'
import type { Domain, Report } from '../domain.ts'
import { PrewarmError, messageOf } from '../errors.ts'
import { loadViews, type InstalledView, type ViewCatalog } from '../views/index.ts'
import { fromSources, sourcesUnder } from './from-sources.ts'
import { isTracked, viewsUnder } from './views-read.ts'

export type InstalledReport = Report & {
  /** `DOMAIN:REPORT`, as in `crm:dashboard_bundle`. */
  id: string
  domain: string
  name: string
  key: string
  alias: string
  sql: CompiledSql
  /** The views under it; none when it is computed from their sources. */
  views: readonly string[]
  /** False when it reads a table whose changes nobody notes. */
  isTracked: boolean
  /** Moves when the SQL, the definition or a view under it does, so that entries of an older one are not used. */
  hash: string
}

export type Catalog = {
  all: readonly InstalledReport[]
  find(domain: string, name: string): InstalledReport | undefined
  findAlias(alias: string): InstalledReport | undefined
}

export type CatalogOptions = {
  views?: ViewCatalog
  /** With `false` reports are computed from the source tables, as if there were no views. */
  readsViews?: boolean
}

/** Reads the SQL of every report. Throws `bad_configuration` naming the file that is missing or asks for what it is not given. */
export async function loadCatalog(
  domains: readonly Domain[],
  { views, readsViews = true }: CatalogOptions = {},
): Promise<Catalog> {
  const installation = { views: views ?? (await loadViews(domains)), readsViews }
  const all = await Promise.all(
    domains.flatMap((domain) =>
      Object.entries<Report>(domain.reports).map(([name, report]) =>
        install(domain, { ...report, name }, installation),
      ),
    ),
  )
  return {
    all,
    find: (domain, name) => all.find((report) => report.id === `${domain}:${name}`),
    findAlias: (alias) => all.find((report) => report.alias === alias),
  }
}

type Named = Report & { name: string }

async function install(
  domain: Domain,
  report: Named,
  { views: catalog, readsViews }: Required<CatalogOptions>,
): Promise<InstalledReport> {
  const id = `${domain.name}:${report.name}`
  refuseTakenParams(id, report)
  const under = new Set(viewsUnder(domain, report))
  const views = catalog.all.filter((view) => view.domain === domain.name && under.has(view.name))
  const written = await readSql(domain, report)
  const sql = readsViews ? written : { ...written, text: fromSources(written.text, views) }
  const reads = readsViews ? report.reads : sourcesUnder(report.reads, views)
  return {
    ...report,
    id,
    domain: domain.name,
    reads,
    key: report.key ?? id,
    alias: report.alias ?? report.name,
    sql,
    views: readsViews ? [...under] : [],
    isTracked: isTracked(domain, { reads }),
    hash: hashOf(report, sql, views),
  }
}

async function readSql(domain: Domain, report: Named): Promise<CompiledSql> {
  const file = join(domain.folder, 'reports', `${report.name}.sql`)
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw wrong(`The report ${report.name} has no SQL: ${messageOf(error)}.`)
  })
  const sql = compileSql(text)
  const unknown = sql.names.find((mark) => !marksOf(report).includes(mark))
  if (unknown) throw wrong(`${file} asks for :'${unknown}', which this report is not given.`)
  return sql
}

// What a parameter accepts changes no entry, only which ones there are.
function hashOf(report: Named, { text }: CompiledSql, views: readonly InstalledView[]): string {
  const definition = { ...report, params: paramNames(report), views: views.map(({ hash }) => hash) }
  return createHash('sha256')
    .update(JSON.stringify(definition))
    .update(text)
    .digest('hex')
    .slice(0, 16)
}

// What the engine itself reads from the query, or gives to the SQL.
const OF_QUERY = ['tenant_id', 'bust_cache', 'widgets', 'profile']
const OF_SCOPE = ['visible_to', 'visible_teams', 'team_id', 'assigned_to']
const OF_SQL = ['tenant_ids', 'now', 'merge']

function refuseTakenParams(id: string, report: Report): void {
  const named = [report.variant?.param ?? '', report.tenantParam ?? '']
  const taken = new Set([...OF_QUERY, ...OF_SCOPE, ...OF_SQL, ...named])
  const twice = paramNames(report).find((name) => taken.has(name))
  if (twice === undefined) return
  throw wrong(`The report ${id} cannot have a parameter ${twice}: that name means something else.`)
}

function paramNames({ params }: Report): string[] {
  return Object.keys(params?.shape ?? {})
}

function marksOf(report: Report): string[] {
  return [
    'tenant_ids',
    'now',
    ...(report.variant ? [report.variant.param] : []),
    ...(report.scoped ? OF_SCOPE : []),
    ...(report.mergesTenants ? ['merge'] : []),
    ...paramNames(report),
  ]
}

function wrong(message: string): PrewarmError {
  return new PrewarmError('bad_configuration', message)
}
