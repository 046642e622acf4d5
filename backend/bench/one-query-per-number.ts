// The other side: how warming was done before. A loop over the tenants and both kinds of data; for each, one query per
// number and list; the answer put together in JavaScript and stored under its key with SETEX. `in-turn` sends each query
// when the one before is answered; `together` sends those of a bundle at once, over as many connections as reports have.
// `without-funnel` does so too, but leaves out the funnel, which that system read from a materialized view that something
// else refreshed; in the others there is a query for each of its numbers, once per tenant. Prints JSON.
import { Redis } from 'ioredis'
import { readContext, withEngine } from '../cli/context.ts'
import { print } from '../cli/output.ts'
import { crm } from '../domains/crm/index.ts'
import type { Db } from '../engine/db/index.ts'
import { listActiveTenants } from '../engine/tenancy/index.ts'
import { FUNNEL, LISTS, NUMBERS } from './numbers.ts'

export type LoopFigures = { seconds: number; entries: number; statements: number }
export type Way = 'in-turn' | 'together' | 'without-funnel'

const TTL_SECONDS = 300
const way = process.argv[2]
const withFunnel = way !== 'without-funnel'

const context = await readContext([crm], 'warn')
await withEngine(context, async ({ resources: { db, reportDb } }) => {
  const redis = new Redis(context.config.REDIS_CACHE_URL ?? '')
  const start = performance.now()
  const tenants = await listActiveTenants(db)
  for (const { id } of tenants) {
    const funnel = withFunnel ? await all(FUNNEL, (select) => numberOf(reportDb, select, id)) : {}
    for (const withTests of [true, false]) {
      const bundle = JSON.stringify({ ...(await bundleOf(reportDb, id, withTests)), funnel })
      await redis.setex(`loop:bundle:${id}:include=${withTests}`, TTL_SECONDS, bundle)
    }
  }
  const figures: LoopFigures = {
    seconds: (performance.now() - start) / 1000,
    entries: tenants.length * 2,
    statements: db.statements + reportDb.statements,
  }
  await redis.quit()
  print(JSON.stringify(figures))
})

async function bundleOf(db: Db, tenant: string, withTests: boolean): Promise<object> {
  const filter = withTests ? '' : ' and is_test_data is not true'
  const asked: Record<string, () => Promise<unknown>> = {
    stats: () => all(NUMBERS, (select) => numberOf(db, `${select}${filter}`, tenant)),
    lists: () =>
      all(LISTS, ({ select, order }) =>
        db.query(`${select} and tenant_id = $1${filter} ${order}`, [tenant]),
      ),
  }
  return all(asked, (ask) => ask())
}

async function numberOf(db: Db, select: string, tenant: string): Promise<number> {
  const [row] = await db.query<{ value: string }>(`${select} and tenant_id = $1`, [tenant])
  return Number(row?.value)
}

async function all<Query, Answer>(
  queries: Readonly<Record<string, Query>>,
  ask: (query: Query) => Promise<Answer>,
): Promise<Record<string, Answer>> {
  const answers: [string, Promise<Answer>][] = []
  for (const [name, query] of Object.entries(queries)) {
    const answer = ask(query)
    answers.push([name, answer])
    if (way === 'in-turn') await answer
  }
  const named = answers.map(async ([name, answer]): Promise<[string, Answer]> => [
    name,
    await answer,
  ])
  return Object.fromEntries(await Promise.all(named))
}
