import { arrayLiteral, quoteIdentifier, type Queryable } from '../db/index.ts'
import { PrewarmError } from '../errors.ts'
import type { Scope, Tenant } from '../tenancy/index.ts'
import type { InstalledReport } from './catalog.ts'
import type { Params } from './request.ts'

export type Ask = {
  tenants: readonly Tenant[]
  /** Values of the report's variant; `[null]` for a report without. */
  variants: readonly (string | null)[]
  restriction: Omit<Scope, 'tenantId'>
  /** Of the report's own parameters, those that were given. */
  params?: Params | undefined
  /** One answer over all the tenants together instead of one each. */
  merge: boolean
  now: Date
}

/** `data` is the JSON text of an object without `meta`; `tenantId` is null when merged. */
export type Answer = { tenantId: string | null; variant: string | null; data: string }

/** Asks the database once for all tenants and variants. Rejects unless every one of them is answered, once. */
export async function compute(db: Queryable, report: InstalledReport, ask: Ask): Promise<Answer[]> {
  const variant = report.variant ? `${quoteIdentifier(report.variant.param)}::text` : 'null::text'
  const answers = await db.query<Answer>(
    `select tenant_id::text as "tenantId", ${variant} as variant, data::text as data
     from (
${report.sql.text}
) as report`,
    report.sql.bind(valuesOf(report, ask)),
    { isKept: isRead(ask) },
  )
  checkComplete(report, ask, answers)
  return answers
}

// For one tenant planning can take longer than the answer. For many it is nothing, and a plan that was made for them is better.
function isRead({ tenants, merge }: Ask): boolean {
  return tenants.length === 1 && !merge
}

/** Asks for no tenant at all, which shows whether the SQL fits the tables. */
export async function checkSql(db: Queryable, report: InstalledReport, now: Date): Promise<void> {
  const variants = report.variant?.values ?? [null]
  await compute(db, report, { tenants: [], variants, restriction: UNRESTRICTED, merge: false, now })
}

export const UNRESTRICTED: Ask['restriction'] = { visibleTo: null, teamId: null, assignedTo: null }

function valuesOf(report: InstalledReport, ask: Ask): Record<string, string> {
  const { visibleTo, teamId, assignedTo } = ask.restriction
  const values = {
    tenant_ids: arrayLiteral(ask.tenants.map((tenant) => tenant.id)),
    now: ask.now.toISOString(),
    visible_to: visibleTo?.userId ?? '',
    visible_teams: arrayLiteral(visibleTo?.teamIds ?? []),
    team_id: teamId ?? '',
    assigned_to: assignedTo ?? '',
    merge: String(ask.merge),
    ...paramsOf(report, ask),
  }
  if (!report.variant) return values
  return { ...values, [report.variant.param]: arrayLiteral(ask.variants.map(String)) }
}

function paramsOf({ params }: InstalledReport, ask: Ask): Params {
  const names = Object.keys(params?.shape ?? {})
  return Object.fromEntries(names.map((name) => [name, ask.params?.[name] ?? '']))
}

// An answer that is missing would look like an empty dashboard, and an extra one like another tenant's.
function checkComplete(report: InstalledReport, ask: Ask, answers: readonly Answer[]): void {
  const tenantIds = ask.merge ? [null] : ask.tenants.map((tenant) => tenant.id)
  const expected = tenantIds.flatMap((id) => ask.variants.map((variant) => `${id} ${variant}`))
  const got = new Set(answers.map(({ tenantId, variant }) => `${tenantId} ${variant}`))
  const isComplete = answers.length === expected.length && expected.every((name) => got.has(name))
  if (!isComplete || answers.some(({ data }) => !data?.startsWith('{'))) {
    throw new PrewarmError(
      'report_failed',
      `The report ${report.id} gave ${answers.length} answers where ${expected.length} were asked for.`,
    )
  }
}
