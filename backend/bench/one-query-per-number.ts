// The other side: how warming was done before. A loop over the tenants and both kinds of data; for each, one query per
// number and list, sent together; the answer put together in JavaScript and stored under its key with SETEX.
// It computes what our bundle holds except the funnel, which that system read from a materialized view. Prints JSON.
import { Redis } from 'ioredis'
import { readContext, withEngine } from '../cli/context.ts'
import { print } from '../cli/output.ts'
import { domains } from '../domains/index.ts'
import { listActiveTenants } from '../engine/tenancy/index.ts'
import type { Db, Row } from '../engine/db/index.ts'

export type LoopFigures = { seconds: number; entries: number; statements: number }

const TTL_SECONDS = 300
const CLOSED =
  "('won', 'closed_won', 'closedwon', 'closed won', 'lost', 'closed_lost', 'closedlost', 'closed lost')"
const WON = "('won', 'closed_won', 'closedwon', 'closed won')"
const DONE = "('converted', 'lost')"
const RECENT = "coalesce(created_date, created_at) >= now() - interval '30 days'"

const NUMBERS: Record<string, string> = {
  totalContacts: 'select count(*) as value from crm.contacts where true',
  totalAccounts: 'select count(*) as value from crm.accounts where true',
  totalLeads: 'select count(*) as value from crm.leads where true',
  totalOpportunities: 'select count(*) as value from crm.opportunities where true',
  openLeads: `select count(*) as value from crm.leads where (lower(status) in ${DONE}) is not true`,
  wonOpportunities: `select count(*) as value from crm.opportunities where lower(stage) in ${WON}`,
  openOpportunities: `select count(*) as value from crm.opportunities where (lower(stage) in ${CLOSED}) is not true`,
  newLeadsLast30Days: `select count(*) as value from crm.leads where ${RECENT} and (lower(status) in ${DONE}) is not true`,
  activitiesLast30Days: `select count(*) as value from crm.activities where ${RECENT}`,
  pipelineValue: `select coalesce(sum(amount), 0) as value from crm.opportunities where (lower(stage) in ${CLOSED}) is not true`,
  wonValue: `select coalesce(sum(amount), 0) as value from crm.opportunities where lower(stage) in ${WON}`,
}

const LISTS: Record<string, { select: string; order: string }> = {
  leadsBySource: {
    select:
      "select coalesce(nullif(trim(source), ''), 'other') as source, count(*) as value from crm.leads where true",
    order: 'group by 1',
  },
  recentActivities: {
    select:
      'select id, type, subject, status, created_at, created_date, assigned_to, tenant_id from crm.activities where true',
    order: 'order by created_at desc limit 10',
  },
  recentLeads: {
    select:
      'select id, first_name, last_name, company, email, phone, created_date, created_at, status, source, is_test_data, tenant_id, assigned_to from crm.leads where true',
    order: 'order by created_at desc limit 50',
  },
  recentOpportunities: {
    select:
      'select id, name, amount, stage, probability, updated_at, is_test_data, tenant_id, assigned_to from crm.opportunities where true',
    order: 'order by updated_at desc limit 50',
  },
}

const context = await readContext(domains, 'warn')
await withEngine(context, async ({ resources: { db, reportDb } }) => {
  const redis = new Redis(context.config.REDIS_CACHE_URL ?? '')
  const start = performance.now()
  const tenants = await listActiveTenants(db)
  for (const { id } of tenants) {
    for (const withTests of [true, false]) {
      const bundle = await bundleOf(reportDb, id, withTests)
      await redis.setex(
        `loop:bundle:${id}:include=${withTests}`,
        TTL_SECONDS,
        JSON.stringify(bundle),
      )
    }
  }
  const figures: LoopFigures = {
    seconds: (performance.now() - start) / 1000,
    entries: tenants.length * 2,
    statements: db.statements + reportDb.statements,
  }
  redis.disconnect()
  print(JSON.stringify(figures))
})

async function bundleOf(db: Db, tenant: string, withTests: boolean): Promise<object> {
  const filter = `and tenant_id = $1${withTests ? '' : ' and is_test_data is not true'}`
  const number = async ([name, select]: [string, string]): Promise<[string, number]> => {
    const [row] = await db.query<{ value: string }>(`${select} ${filter}`, [tenant])
    return [name, Number(row?.value)]
  }
  const list = async ([name, { select, order }]: [
    string,
    { select: string; order: string },
  ]): Promise<[string, Row[]]> => [name, await db.query(`${select} ${filter} ${order}`, [tenant])]
  const [numbers, lists] = await Promise.all([
    Promise.all(Object.entries(NUMBERS).map(number)),
    Promise.all(Object.entries(LISTS).map(list)),
  ])
  return { stats: Object.fromEntries(numbers), lists: Object.fromEntries(lists) }
}
