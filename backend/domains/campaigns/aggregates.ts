// Asks for the dashboard as the engine does.
import { join } from 'node:path'
import * as z from 'zod'
import { sqlFile } from '../../test/sql-file.ts'
import { refreshViews, workspaceWith, type Db, type Rows } from './test-rows.ts'

const Day = z.iso.date()
const Series = z.array(z.strictObject({ day: Day, value: z.number() }))
const Spent = {
  cost_usd: z.number(),
  tokens_in: z.number(),
  tokens_out: z.number(),
  calls: z.number(),
}
const Campaign = z.strictObject({
  campaign: z.string(),
  sends: z.number(),
  replies: z.number(),
  opt_outs: z.number(),
  bounces: z.number(),
  reply_rate_pct: z.number(),
  opt_out_rate_pct: z.number(),
  bounce_rate_pct: z.number(),
  cost_usd: z.number(),
  cost_per_reply: z.number(),
})

/** The whole answer; whatever is missing, null, or too much is an error. */
export const Aggregate = z.strictObject({
  summary: z.strictObject({
    sends: z.number(),
    replies: z.number(),
    opt_outs: z.number(),
    bounces: z.number(),
    opens: z.number(),
    clicks: z.number(),
    reply_rate_pct: z.number(),
    opt_out_rate_pct: z.number(),
    bounce_rate_pct: z.number(),
    open_rate_pct: z.number(),
    click_rate_pct: z.number(),
    cost_usd: z.number(),
    sends_change_pct: z.number(),
    reply_rate_change_pp: z.number(),
    opt_out_rate_change_pp: z.number(),
    prev_sends: z.number(),
    prev_reply_rate_pct: z.number(),
  }),
  timeseries: z.strictObject({
    sends: Series,
    replies: Series,
    reply_rate: Series,
    click_rate: Series,
    opt_out_rate: Series,
  }),
  costBreakdown: z.strictObject({
    total: z.strictObject(Spent),
    by_provider: z.array(z.strictObject({ provider: z.string(), ...Spent })),
    by_model: z.array(z.strictObject({ model: z.string(), provider: z.string(), ...Spent })),
    daily: Series,
  }),
  stepBreakdown: z.strictObject({
    steps: z.array(
      z.strictObject({
        step: z.number(),
        name: z.string(),
        sends: z.number(),
        lastSentAt: z.iso.datetime().nullable(),
      }),
    ),
    dailySends: z.array(z.strictObject({ date: Day, count: z.number() })),
    totalSends: z.number(),
    uniqueContacts: z.number(),
    totalLeads: z.number(),
  }),
  campaigns: z.strictObject({
    list: z.array(z.strictObject({ name: z.string() })),
    stats: z.array(Campaign),
  }),
  dateRange: z.strictObject({ start: Day, end: Day }),
  source: z.string(),
})

export type Aggregate = z.infer<typeof Aggregate>

export type Question = {
  now: string
  start?: string
  end?: string
  campaign?: string
  provider?: string
}

/** The JSON text of every answer, under the workspace's id. */
export async function aggregateTexts(
  db: Db,
  workspaceIds: readonly string[],
  question: Question,
): Promise<Map<string, string>> {
  const sql = await sqlFile(join(import.meta.dirname, 'reports/dashboard_aggregate.sql'))
  const asked = { start: '', end: '', campaign: '', provider: '', ...question }
  const rows = await db.query<{ tenant_id: string; data: string }>(
    `select tenant_id, data::text as data from (${sql.text}) as report`,
    sql.bind({ tenant_ids: `{${workspaceIds.join(',')}}`, ...asked }),
  )
  return new Map(rows.map(({ tenant_id, data }) => [tenant_id, data]))
}

export async function aggregateOf(
  db: Db,
  workspaceId: string,
  question: Question,
): Promise<Aggregate> {
  const texts = await aggregateTexts(db, [workspaceId], question)
  return Aggregate.parse(JSON.parse(texts.get(workspaceId) ?? 'null'))
}

export type Asked = Partial<Question> & { timezone?: string }

/** The dashboard of a new workspace that has only these rows. */
export async function newAggregate(
  db: Db,
  rows: Rows,
  { timezone, ...question }: Asked & Question,
): Promise<Aggregate> {
  const workspace = await workspaceWith(db, rows, timezone)
  await refreshViews(db)
  return aggregateOf(db, workspace.id, question)
}
