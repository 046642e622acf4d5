// What the ledger should say, and what it says instead.
import type { Db } from '../engine/db/index.ts'
import type { Reports } from '../engine/reports/index.ts'

export const TENANTS = ['a', 'b', 'c'].map(
  (letter) => `${letter.repeat(8)}-0000-4000-8000-000000000000`,
)
/** What the engine still has to do. */
export async function pending(db: Db): Promise<string[]> {
  const rows = await db.query<{ what: string }>(`
    select 'a change of ' || source as what from refresh_queue
    union all select 'a request for ' || view_name from view_state where requested > satisfied
    union all select 'a tenant in ' || view_name from view_change
    union all select 'an entry of ' || report from dirty_entry where not is_moved or rewarms`)
  return rows.map(({ what }) => `${what} is pending`)
}

/** Everything that is not as the source says, or still pending. */
export async function wrong(db: Db, reports: Reports): Promise<string[]> {
  const differing = await db.query<{ what: string }>(`
    with expected as (select tenant_id, id % 2 as kind, sum(amount) as amount from ledger.entries group by 1, 2),
    sums as (select tenant_id, sum(amount) as amount from expected group by 1)
    select 'totals: ' || d::text as what from (
      (table expected except table ledger.totals) union all (table ledger.totals except table expected)
    ) d
    union all
    select 'grand: ' || d::text from (
      (table sums except table ledger.grand) union all (table ledger.grand except table sums)
    ) d`)
  const answers = await Promise.all(
    ['balance', 'direct'].flatMap((name) =>
      TENANTS.map((_id, tenant) => wrongAnswers(db, reports, name, tenant)),
    ),
  )
  return [...(await pending(db)), ...differing.map(({ what }) => what), ...answers.flat()]
}

// The first read makes an entry that nobody has read yet; the second one has to find it, and in it the truth.
async function wrongAnswers(
  db: Db,
  reports: Reports,
  name: string,
  tenant: number,
): Promise<string[]> {
  const first = await read(reports, name, tenant)
  const { cache, amount } = await read(reports, name, tenant)
  const [truth] = await db.query<{ amount: number }>(
    'select coalesce(sum(amount), 0)::integer as amount from ledger.entries where tenant_id = $1',
    [TENANTS[tenant]],
  )
  const isRight = first.cache !== 'STALE' && cache === 'HIT' && amount === truth?.amount
  const said = `${first.cache}, then ${cache} with ${amount} instead of ${truth?.amount}`
  return isRight && first.amount === amount ? [] : [`${name} of tenant ${tenant}: ${said}`]
}

/** The answer for a tenant by its number. */
export async function read(reports: Reports, name: string, tenant: number) {
  const report = reports.catalog.find('ledger', name)
  if (!report) throw new Error(`There is no report ${name}.`)
  const scope = { tenantId: TENANTS[tenant] ?? '', visibleTo: null, teamId: null, assignedTo: null }
  const { cache, entry } = await reports.read({ report, scope, variant: null }, { bust: false })
  await reports.idle()
  const data: { amount: number } = JSON.parse(entry.body.toString())
  return { cache, amount: data.amount }
}
