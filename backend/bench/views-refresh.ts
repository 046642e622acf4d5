// Refreshes every view as the service does, each time after new rows in every source of a part of the tenants. Prints JSON.
import { readContext, withEngine } from '../cli/context.ts'
import { print } from '../cli/output.ts'
import { domains } from '../domains/index.ts'
import type { Db } from '../engine/db/index.ts'

export type RefreshFigures = {
  rounds: number
  /** Rows that were new each time. */
  changed: number
  views: { view: string; medianMs: number; longestMs: number; rows: number }[]
}

const ROUNDS = 5
const TENANTS = 20
const ROWS_EACH = 50

// What happened in some minutes: one tenant in five sent mails, got answers, and paid for models.
const CHANGES = [
  `insert into campaigns.email_events (workspace_id, contact_email, campaign_name, event_type, step, event_ts)
   select workspace_id, contact_email, campaign_name, event_type, step, now()
   from (select id from tenant order by id limit $1) chosen
   cross join lateral (
     select * from campaigns.email_events where workspace_id = chosen.id order by random() limit $2
   ) event`,
  `insert into campaigns.llm_usage (workspace_id, provider, model, tokens_in, tokens_out, cost_usd, campaign_name, created_at)
   select workspace_id, provider, model, tokens_in, tokens_out, cost_usd, campaign_name, now()
   from (select id from tenant order by id limit $1) chosen
   cross join lateral (
     select * from campaigns.llm_usage where workspace_id = chosen.id order by random() limit $2
   ) usage`,
  `insert into campaigns.leads (workspace_id, email, campaign_name)
   select id, gen_random_uuid() || '@new.example', 'Spring fair'
   from (select id from tenant order by id limit $1) chosen
   cross join generate_series(1, $2::integer)`,
  `update customers.customers set total_visits = total_visits + 1, last_visit_date = current_date
   where id in (
     select customer.id from (select id from tenant order by id limit $1) chosen
     cross join lateral (
       select id from customers.customers where tenant_id = chosen.id order by random() limit $2
     ) customer
   )`,
]

const context = await readContext(domains, 'warn')
await withEngine(context, async ({ engine, resources: { db } }) => {
  const names = engine.views.catalog.all.map(({ name }) => name)
  const times = new Map(names.map((name) => [name, [] as number[]]))
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const change of CHANGES) await db.query(change, [TENANTS, ROWS_EACH])
    for (const name of names) {
      const ms = await refresh(db, name)
      // The first round is for warming up.
      if (round > 0) times.get(name)?.push(ms)
    }
  }
  const views = await Promise.all([...times].map(([view, all]) => figuresOf(db, view, all)))
  print(JSON.stringify({ rounds: ROUNDS, changed: CHANGES.length * TENANTS * ROWS_EACH, views }))
})

async function refresh(db: Db, name: string): Promise<number> {
  const start = performance.now()
  const rows = await db.query<{ status: string }>('select * from refresh_view($1)', [name])
  if (rows[0]?.status !== 'refreshed') throw new Error(`${name}: ${JSON.stringify(rows)}`)
  return performance.now() - start
}

async function figuresOf(
  db: Db,
  view: string,
  times: readonly number[],
): Promise<RefreshFigures['views'][number]> {
  const [state] = await db.query<{ rows: string }>(
    'select row_count as rows from view_state where view_name = $1',
    [view],
  )
  const sorted = times.toSorted((a, b) => a - b)
  const medianMs = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
  return { view, medianMs, longestMs: sorted.at(-1) ?? Number.NaN, rows: Number(state?.rows) }
}
