import type { InstalledReport } from '../engine/reports/index.ts'
import { listActiveTenants, type Principal } from '../engine/tenancy/index.ts'
import { mintToken } from '../http/index.ts'
import { tokenOptions, type Opened } from './context.ts'
import { print } from './output.ts'

const AUTHORIZATION = '-H "Authorization: Bearer $TOKEN"'
const JSON_BODY = '-H "Content-Type: application/json"'
const TOKEN_SECONDS = 12 * 60 * 60
const SUPERADMIN: Principal = {
  subject: 'quickstart',
  role: 'superadmin',
  tenantId: null,
  teamIds: [],
}

/** Prints a token and `curl` lines for the service at `url`: the first report of each domain, and what can be done with the cache. */
export async function printWhatToTry(opened: Opened, url: string): Promise<void> {
  const { secret, jwksUrl } = await tokenOptions(opened)
  if (jwksUrl) return print('\nTokens come from your identity provider (JWT_JWKS_URL).')
  const token = await mintToken(secret, SUPERADMIN, TOKEN_SECONDS)
  const [tenant] = await listActiveTenants(opened.resources.db)
  const reads = tenant ? firstReports(opened).map((report) => pathOf(report, tenant.id)) : []
  const [job] = opened.domains.flatMap(({ jobs }) => Object.keys(jobs))
  print(`
TOKEN=${token}

${reads.map((path) => `curl -i "${url}${path}" ${AUTHORIZATION}`).join('\n')}
curl -X POST ${url}/api/reports/clear-cache ${JSON_BODY} -d '{}' ${AUTHORIZATION}
curl -X POST ${url}/api/cron/execute ${JSON_BODY} -d '{"function_name": "${job}"}' ${AUTHORIZATION}
curl ${url}/api/system/health

The API is shown at ${url}/api/docs`)
}

function firstReports({ domains, engine }: Opened): InstalledReport[] {
  const { all } = engine.reports.catalog
  return domains.flatMap(({ name }) => all.find(({ domain }) => domain === name) ?? [])
}

function pathOf(
  { path, alias, tenantParam = 'tenant_id' }: InstalledReport,
  tenantId: string,
): string {
  return `${path ?? `/api/reports/${alias}`}?${tenantParam}=${tenantId}`
}
