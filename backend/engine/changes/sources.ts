// Which tables triggers belong on, and who reads what, from the domains' values.
import type { Domain, Report, Source, View } from '../domain.ts'
import { PrewarmError } from '../errors.ts'

/** `name` is `schema.table`, as the queue spells it. */
export type TrackedSource = { name: string; schema: string; table: string; tenantColumn: string }

/** A row of `source_reader`. */
export type Reader = {
  source: string
  kind: 'view' | 'report'
  reader: string
  isDirect: boolean
  mergesTenants: boolean
  debounceSeconds: number | null
}

/** Each table once, though several domains may read it. */
export function trackedSources(domains: readonly Domain[]): TrackedSource[] {
  const found = new Map<string, TrackedSource>()
  for (const domain of domains) {
    for (const [name, source] of Object.entries<Source>(domain.sources)) {
      if (source.isTracked === false) continue
      const tracked = trackedSource(qualified(domain, name), source)
      refuseTwoColumns(tracked, found.get(tracked.name))
      found.set(tracked.name, tracked)
    }
  }
  return [...found.values()]
}

export function trackedSource(name: string, { tenantColumn }: Source): TrackedSource {
  const [schema, table, ...rest] = name.split('.')
  if (schema && table && rest.length === 0) return { name, schema, table, tenantColumn }
  throw wrong(`The source "${name}" is to be named as schema.table.`)
}

function refuseTwoColumns(one: TrackedSource, other: TrackedSource | undefined): void {
  if (!other || one.tenantColumn === other.tenantColumn) return
  throw wrong(
    `Two domains name different tenant columns of ${one.name}: ${one.tenantColumn} and ${other.tenantColumn}.`,
  )
}

/** Every view and report with everything that it reads, a report also with what it reads through views. */
export function readersOf(domains: readonly Domain[]): Reader[] {
  return domains.flatMap((domain) => [
    ...Object.entries<View>(domain.views ?? {}).flatMap(([name, view]) =>
      view.reads.map((read) => viewReader(domain, read, { name, view })),
    ),
    ...Object.entries<Report>(domain.reports).flatMap(([name, report]) =>
      reportReaders(domain, name, report),
    ),
  ])
}

function viewReader(
  domain: Domain,
  read: string,
  { name, view }: { name: string; view: View },
): Reader {
  const policies = view.refresh.flatMap((policy) => ('onChange' in policy ? [policy] : []))
  const debounce = Math.min(...policies.map(({ debounceSeconds }) => debounceSeconds))
  return {
    source: qualified(domain, read),
    kind: 'view',
    reader: name,
    isDirect: true,
    mergesTenants: false,
    debounceSeconds: policies.length > 0 ? debounce : null,
  }
}

function reportReaders(domain: Domain, name: string, report: Report): Reader[] {
  const direct = new Set(report.reads)
  const all = new Set<string>()
  const add = (read: string): void => {
    if (all.has(read)) return
    all.add(read)
    domain.views?.[read]?.reads.forEach(add)
  }
  report.reads.forEach(add)
  return [...all].map((read) => ({
    source: qualified(domain, read),
    kind: 'report',
    reader: `${domain.name}:${name}`,
    isDirect: direct.has(read),
    mergesTenants: report.mergesTenants ?? false,
    debounceSeconds: null,
  }))
}

function qualified({ name: schema, sources }: Domain, name: string): string {
  return sources[name]?.table ?? `${schema}.${name}`
}

export function wrong(message: string): PrewarmError {
  return new PrewarmError('bad_configuration', message)
}
