// Asks for bundles as the engine does.
import { join } from 'node:path'
import * as z from 'zod'
import { sqlFile } from '../../test/sql-file.ts'
import type { Db } from './test-rows.ts'

export type Variant = 'true' | 'false'

export type Question = {
  tenantIds: readonly string[]
  now: string
  variants?: readonly Variant[]
  visibleTo?: { userId: string; teamIds: readonly string[] }
  teamId?: string
  assignedTo?: string
  merge?: boolean
}

const Value = z.union([z.string(), z.number(), z.boolean(), z.null()])

const Bundle = z.strictObject({
  stats: z.record(z.string(), z.union([z.number(), z.record(z.string(), z.number())])),
  lists: z.record(z.string(), z.array(z.record(z.string(), Value))),
  funnelAggregates: z.record(z.string(), Value),
})

export type Bundle = z.infer<typeof Bundle>

/** The JSON text of every answer, under `TENANT VARIANT`; the tenant of a merged one is `null`. */
export async function bundleTexts(db: Db, question: Question): Promise<Map<string, string>> {
  const sql = await sqlFile(join(import.meta.dirname, 'reports/dashboard_bundle.sql'))
  const rows = await db.query<{ name: string; data: string }>(
    `select concat_ws(' ', coalesce(tenant_id::text, 'null'), include_test_data) as name,
            data::text as data
     from (${sql.text}) as report`,
    sql.bind(valuesOf(question)),
  )
  return new Map(rows.map(({ name, data }) => [name, data]))
}

export async function bundlesOf(db: Db, question: Question): Promise<Map<string, Bundle>> {
  const texts = await bundleTexts(db, question)
  return new Map([...texts].map(([name, text]) => [name, parseBundle(text)]))
}

/** The bundle of one tenant, of its whole data unless asked otherwise. */
export async function bundleOf(
  db: Db,
  tenantId: string,
  question: Omit<Question, 'tenantIds' | 'variants'> & { variant?: Variant },
): Promise<Bundle> {
  const { variant = 'true', ...rest } = question
  const bundles = await bundlesOf(db, { ...rest, tenantIds: [tenantId], variants: [variant] })
  const bundle = bundles.get(`${question.merge ? 'null' : tenantId} ${variant}`)
  if (!bundle) throw new Error(`No bundle came for ${tenantId}, but ${[...bundles.keys()].join()}.`)
  return bundle
}

function valuesOf(question: Question): Record<string, string> {
  const { visibleTo, variants = ['true', 'false'] } = question
  return {
    tenant_ids: `{${question.tenantIds.join(',')}}`,
    now: question.now,
    include_test_data: `{${variants.join(',')}}`,
    visible_to: visibleTo?.userId ?? '',
    visible_teams: `{${visibleTo?.teamIds.join(',') ?? ''}}`,
    team_id: question.teamId ?? '',
    assigned_to: question.assignedTo ?? '',
    merge: String(question.merge ?? false),
  }
}

export function parseBundle(text: string): Bundle {
  return Bundle.parse(JSON.parse(text, spellTime))
}

/** Times are spelled as JavaScript does, so that they can be compared. */
function spellTime(key: string, value: unknown): unknown {
  const isTime = /_(at|date)$/.test(key) && typeof value === 'string'
  return isTime ? new Date(value).toISOString() : value
}
