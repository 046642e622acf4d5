// Domains choose paths for their reports and for refreshing their views. Each path must mean one thing only.
import type { Domain, Report } from '../engine/domain.ts'
import { PrewarmError } from '../engine/errors.ts'

type OwnPath = { path: string; owner: string }

/** `fixed` are the service's own paths, as OpenAPI writes them. Throws `bad_configuration` naming the path that is wrong. */
export function checkOwnPaths(domains: readonly Domain[], fixed: readonly string[]): void {
  const known = fixed.map((path) => ({ path, owner: 'the service itself' }))
  const seen: OwnPath[] = []
  for (const own of domains.flatMap(ownPaths)) {
    checkForm(own)
    const other = [...known, ...seen].find(({ path }) => collide(path, own.path))
    if (other) throw wrong(`${own.owner} cannot have the path ${own.path}: ${other.owner} has it`)
    seen.push(own)
  }
}

function ownPaths({ name: domain, reports, refreshEndpoints = [] }: Domain): OwnPath[] {
  const ofReports = Object.entries<Report>(reports).flatMap(([name, { path }]) =>
    path ? [{ path, owner: `the report ${domain}:${name}` }] : [],
  )
  const owner = `a refresh endpoint of ${domain}`
  return [...ofReports, ...refreshEndpoints.map(({ path }) => ({ path, owner }))]
}

const FORM = /^\/api(\/[\w-]+)+$/
// Under these the service has paths of any name.
const WHOLLY_OURS = /^\/api\/(reports|docs)(\/|$)/i

function checkForm({ path, owner }: OwnPath): void {
  if (!FORM.test(path))
    throw wrong(`${owner} cannot have the path ${path}: it must be of the form /api/customers`)
  if (WHOLLY_OURS.test(path))
    throw wrong(`${owner} cannot have the path ${path}: the service itself has it`)
}

// Express does not tell capital letters from small ones, and `{id}` stands for anything.
function collide(a: string, b: string): boolean {
  const [parts, others] = [a.toLowerCase().split('/'), b.toLowerCase().split('/')]
  return (
    parts.length === others.length &&
    parts.every((part, i) => part === others[i] || part.startsWith('{'))
  )
}

function wrong(message: string): PrewarmError {
  const sentence = message.charAt(0).toUpperCase() + message.slice(1)
  return new PrewarmError('bad_configuration', `${sentence}.`)
}
