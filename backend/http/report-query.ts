// What a report can be asked, and what a request asks of it.
import type { Request, Response } from 'express'
import * as z from 'zod'
import { badRequest } from '../engine/errors.ts'
import type { InstalledReport, ReportRequest } from '../engine/reports/index.ts'
import { scopeOf, userOf, type Door } from './access.ts'
import type { Widgets } from './report-answer.ts'
import { Flag, TenantId, tenantIdAs, Text, Uuid, validate } from './validate.ts'

/** What every report can be asked. */
export const ReportQuery = z.object({
  tenant_id: TenantId.optional(),
  bust_cache: Flag.optional(),
  widgets: z.string().optional(),
  team_id: Uuid.optional(),
  assigned_to: Uuid.optional(),
  profile: Flag.optional(),
})

/** All that this report can be asked: also its variant, its own parameters, and the other name of the tenant. */
export function queryOf({ variant, params, tenantParam }: InstalledReport): z.ZodObject {
  return ReportQuery.extend({
    ...(variant ? { [variant.param]: z.enum(variant.values).default(variant.default) } : {}),
    ...(tenantParam ? { [tenantParam]: tenantIdAs(tenantParam).optional() } : {}),
    ...params?.shape,
  })
}

export type Asked = ReportRequest & {
  widgets: Widgets
  /** The data alone, without the envelope. */
  isBare: boolean
  bust: boolean
  profile: boolean
}

export function askedOf(
  report: InstalledReport,
  door: Door,
  { query }: Request,
  response: Response,
): Asked {
  const common = validate(ReportQuery, query, 'query')
  const asked = { ...common, tenant_id: tenantIn(report, common.tenant_id, query) }
  return {
    report,
    scope: scopeOf(userOf(response), asked, { report, door }),
    variant: variantOf(report, query),
    params: paramsOf(report, query),
    widgets: widgetsOf(report, common.widgets),
    isBare: door === 'own' && report.isBare === true,
    bust: common.bust_cache ?? false,
    profile: common.profile ?? false,
  }
}

type Query = Request['query']

function tenantIn(
  { tenantParam }: InstalledReport,
  tenantId: string | undefined,
  query: Query,
): string | undefined {
  if (tenantParam === undefined || query[tenantParam] === undefined) return tenantId
  const named = validate(tenantIdAs(tenantParam), query[tenantParam], tenantParam)
  if (tenantId === undefined || tenantId === named) return named
  throw badRequest(tenantParam, `${tenantParam} and tenant_id name two tenants.`)
}

function variantOf({ variant }: InstalledReport, query: Query): string | null {
  if (!variant) return null
  const { param, values } = variant
  const asked = query[param] ?? variant.default
  if (typeof asked === 'string' && values.includes(asked)) return asked
  throw badRequest(param, `${param}: must be ${values.join(' or ')}`)
}

const Texts = z.record(z.string(), Text)

// What is given as nothing was not given, and what a schema fills in by itself was not asked for: the answer to neither of
// them may have a key of its own, because the one without parameters is what is warm.
function paramsOf({ params }: InstalledReport, query: Query): Record<string, string> {
  if (!params) return {}
  const names = Object.keys(params.shape).filter((name) => (query[name] ?? '') !== '')
  const given = Object.fromEntries(names.map((name) => [name, query[name]]))
  const parsed = validate(params, validate(Texts, given, 'query'), 'query')
  const wanted = names.map((name) => [name, parsed[name] ?? ''] as const)
  return Object.fromEntries(wanted.filter(([, value]) => value !== ''))
}

function widgetsOf(report: InstalledReport, text: string | undefined): Widgets {
  const names = (text ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean)
  const known = Object.keys(report.widgets ?? {})
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined) {
    throw badRequest(
      'widgets',
      `widgets: there is no widget "${unknown}". There are: ${known.join(', ')}.`,
    )
  }
  return names.length > 0 ? [...new Set(names)].toSorted() : null
}
