import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { compileSql, type CompiledSql } from '../db/index.ts'
import type { Domain, Report } from '../domain.ts'
import { PrewarmError, messageOf } from '../errors.ts'

export type InstalledReport = Report & {
  /** `DOMAIN:REPORT`, as in `crm:dashboard_bundle`. */
  id: string
  domain: string
  name: string
  key: string
  alias: string
  sql: CompiledSql
  /** Moves when the SQL or the definition does, so that entries of an older one are not used. */
  hash: string
}

export type Catalog = {
  all: readonly InstalledReport[]
  find(domain: string, name: string): InstalledReport | undefined
  findAlias(alias: string): InstalledReport | undefined
}

/** Reads the SQL of every report. Throws `bad_configuration` naming the file that is missing or asks for what it is not given. */
export async function loadCatalog(domains: readonly Domain[]): Promise<Catalog> {
  const all = await Promise.all(
    domains.flatMap((domain) =>
      Object.entries<Report>(domain.reports).map(([name, report]) => install(domain, name, report)),
    ),
  )
  return {
    all,
    find: (domain, name) => all.find((report) => report.id === `${domain}:${name}`),
    findAlias: (alias) => all.find((report) => report.alias === alias),
  }
}

async function install(domain: Domain, name: string, report: Report): Promise<InstalledReport> {
  const file = join(domain.folder, 'reports', `${name}.sql`)
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new PrewarmError(
      'bad_configuration',
      `The report ${name} has no SQL: ${messageOf(error)}.`,
    )
  })
  const sql = compileSql(text)
  const unknown = sql.names.find((mark) => !marksOf(report).includes(mark))
  if (unknown) {
    throw new PrewarmError(
      'bad_configuration',
      `${file} asks for :'${unknown}', which this report is not given.`,
    )
  }
  const id = `${domain.name}:${name}`
  const hash = createHash('sha256')
    .update(JSON.stringify(report))
    .update(text)
    .digest('hex')
    .slice(0, 16)
  return {
    ...report,
    id,
    domain: domain.name,
    name,
    key: report.key ?? id,
    alias: report.alias ?? name,
    sql,
    hash,
  }
}

function marksOf(report: Report): string[] {
  return [
    'tenant_ids',
    'now',
    ...(report.variant ? [report.variant.param] : []),
    ...(report.scoped ? ['visible_to', 'visible_teams', 'team_id', 'assigned_to'] : []),
    ...(report.mergesTenants ? ['merge'] : []),
  ]
}
