import * as z from 'zod'
import type { ZodOpenApiOperationObject, ZodOpenApiPathsObject } from 'zod-openapi'
import type { Catalog, InstalledReport } from '../../engine/reports/index.ts'
import { queryOf } from '../report-query.ts'
import { ClearCacheBody } from '../routes/clear-cache.ts'
import { operation, Success } from './operation.ts'

const Answer = Success.extend({
  cached: z.boolean().meta({ description: 'Whether it came from the cache' }),
}).meta({
  id: 'ReportAnswer',
})

/** Of reports that are answered without the envelope. */
const Bare = z.record(z.string(), z.unknown()).meta({ id: 'BareAnswer' })

export function fixedReportPaths(): ZodOpenApiPathsObject {
  const tag = 'reports'
  const bust = {
    summary: 'Drop the entries of a tenant, a report, or all',
    tag,
    body: ClearCacheBody,
  } as const
  return {
    '/api/reports': { get: operation({ summary: 'All reports', tag }) },
    '/api/reports/clear-cache': { post: operation(bust) },
  }
}

export function pathsOfReports({ all }: Catalog): ZodOpenApiPathsObject {
  return Object.fromEntries(all.flatMap(pathsOfReport))
}

function pathsOfReport(report: InstalledReport): [string, ZodOpenApiPathsObject[string]][] {
  const { domain, name, alias, path, isBare } = report
  const get = operationOf(report, Answer)
  const generic = [alias, `${domain}/${name}`].map((end): [string, { get: typeof get }] => [
    `/api/reports/${end}`,
    { get },
  ])
  return path ? [...generic, [path, { get: isBare ? operationOf(report, Bare) : get }]] : generic
}

function operationOf(report: InstalledReport, answer: z.ZodType): ZodOpenApiOperationObject {
  const query = queryOf(report)
  const described = operation({ summary: report.title, tag: 'reports', query, answer })
  const known = { description: 'The caller has this answer already (If-None-Match)' }
  return { ...described, responses: { ...described.responses, '304': known } }
}
