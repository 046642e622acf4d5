// Writers, drainers, refreshes and readers of the ledger, each of which can be stopped between any two steps, rolled back or
// killed. What waits for a lock gives up soon, as one more thing that can happen.
import { createMemoryStore, type Store } from '../engine/cache/index.ts'
import { createChanges, type Changes } from '../engine/changes/index.ts'
import { systemClock } from '../engine/clock.ts'
import type { Db } from '../engine/db/index.ts'
import { PrewarmError } from '../engine/errors.ts'
import { install } from '../engine/install.ts'
import type { Reports } from '../engine/reports/index.ts'
import { createViews, loadViews, type Views } from '../engine/views/index.ts'
import { testDatabase } from './database.ts'
import { testFolder } from './folder.ts'
import { ledgerDomain } from './ledger-domain.ts'
import { testLog } from './log.ts'
import { reportsOver } from './reports.ts'
import { session, type End, type Session } from './sessions.ts'

export const TENANTS = ['a', 'b', 'c'].map(
  (letter) => `${letter.repeat(8)}-0000-4000-8000-000000000000`,
)
export const WRITERS = 3

/** The tenant by its number in TENANTS; the row by its number among the writer's own. */
export type Write = { act: keyof typeof WRITES; tenant: number; row: number }

const WRITES = {
  insert: `insert into ledger.entries values ($1, $2, 1 + $1 % 7) on conflict (id) do update set amount = entries.amount + 1`,
  update: `update ledger.entries set amount = amount + 10 where id = $1 or tenant_id = $2 and id % 3 = $1 % 3`,
  move: 'update ledger.entries set tenant_id = $2 where id = $1',
  delete: 'delete from ledger.entries where id = $1 and $2::uuid is not null',
  truncate: 'truncate ledger.entries',
}

/** `whole`: to its end. `rolled back`: it dies before its end. `cache away`: it dies before the cache knows. */
export type Drain = 'whole' | 'rolled back' | 'cache away'

export type Interleavings = {
  begin(writer: number): Promise<void>
  write(writer: number, write: Write): Promise<void>
  finish(writer: number, end: End): Promise<void>
  drain(how: Drain): Promise<void>
  rewarm(): Promise<void>
  /** By hand, in a transaction that stays open. */
  beginRefresh(view: string): Promise<void>
  endRefresh(end: End): Promise<void>
  plan(): Promise<void>
  read(report: string, tenant: number): Promise<void>
  /** Commits what is open, and lets the engine go on until it has nothing to do. */
  settle(): Promise<void>
  /** What is not as it should be now: views and answers that differ from the source, and what is still pending. */
  wrong(): Promise<string[]>
  /** Back to an empty source. */
  reset(): Promise<void>
  close(): Promise<void>
}

export async function interleavings(): Promise<Interleavings> {
  const { db, url, drop } = await testDatabase({ empty: true })
  const folder = await testFolder()
  const { log } = testLog()
  const domain = await ledgerDomain(folder.path)
  await install(db, [domain], log)
  await db.query("insert into tenant (id, name) select unnest($1::uuid[]), 'A tenant'", [TENANTS])
  await db.query(`alter database ${new URL(url).pathname.slice(1)} set lock_timeout = '25ms'`)
  const clock = systemClock
  const store = createMemoryStore({ maxBytes: 1_000_000, clock })
  const work = db.another({ applicationName: 'engine', max: 5, statementTimeoutMs: 5000 })
  const reports = await reportsOver({ db: work, domains: [domain], store, clock })
  const parts = { reports, clock, log, rewarmMs: 0 }
  const views = createViews({
    catalog: await loadViews([domain]),
    db: work,
    log,
    lockTimeoutMs: 25,
  })
  const drains = {
    whole: createChanges({ ...parts, db: work, store }),
    'rolled back': createChanges({ ...parts, db: rollingBack(work), store }),
    'cache away': createChanges({ ...parts, db: work, store: { ...store, move: refuse } }),
  }
  const [refresher, ...writers] = sessions(url, db)
  const world = { db, store, reports, views, drains, writers, refresher }
  return {
    ...stepsOf(world),
    settle: () => settle(world),
    wrong: () => wrong(world),
    reset: () => reset(world),
    close: async () => {
      await Promise.all([...writers, refresher].map((each) => each.close()))
      await Promise.all([views.stop(), ...Object.values(drains).map((each) => each.stop())])
      await work.end()
      await drop()
      await folder.remove()
    },
  }
}

function sessions(url: string, db: Db): [Session, ...Session[]] {
  return [session(url, db), ...Array.from({ length: WRITERS }, () => session(url, db))]
}

function rollingBack(db: Db): Db {
  return {
    ...db,
    transaction: (work) =>
      db.transaction(async (tx) => {
        await work(tx)
        throw new PrewarmError('unavailable', 'The process died.')
      }),
  }
}

async function refuse(): Promise<never> {
  throw new PrewarmError('unavailable', 'The cache is away.')
}

type World = {
  db: Db
  store: Store
  reports: Reports
  views: Views
  drains: Record<Drain, Changes>
  writers: readonly Session[]
  refresher: Session
}

type Steps = Omit<Interleavings, 'settle' | 'wrong' | 'reset' | 'close'>

function stepsOf({ reports, views, drains, writers, refresher }: World): Steps {
  return {
    begin: async (writer) => writers[writer]?.begin(),
    write: async (writer, { act, tenant, row }) =>
      writers[writer]?.run(
        WRITES[act],
        act === 'truncate' ? [] : [row * WRITERS + writer, TENANTS[tenant]],
      ),
    finish: async (writer, end) => writers[writer]?.finish(end),
    drain: (how) => givingUp(drains[how].drain()),
    rewarm: () => givingUp(drains.whole.rewarm()),
    beginRefresh: async (view) => {
      await refresher.begin()
      await refresher.run('select refresh_view($1)', [view])
    },
    endRefresh: (end) => refresher.finish(end),
    plan: () => givingUp(plan(views)),
    read: (name, tenant) => givingUp(read(reports, name, tenant)),
  }
}

/** The engine meets failures all the time; whether it recovers is seen in the end. */
async function givingUp(work: Promise<unknown>): Promise<void> {
  await work.catch(() => undefined)
}

async function plan(views: Views): Promise<void> {
  await views.tick()
  await views.idle()
}

async function read(reports: Reports, name: string, tenant: number) {
  const report = reports.catalog.find('ledger', name)
  if (!report) throw new Error(`There is no report ${name}.`)
  const scope = { tenantId: TENANTS[tenant] ?? '', visibleTo: null, teamId: null, assignedTo: null }
  const { cache, entry } = await reports.read({ report, scope, variant: null }, { bust: false })
  await reports.idle()
  const data: { amount: number } = JSON.parse(entry.body.toString())
  return { cache, amount: data.amount }
}

const MOST_ROUNDS = 50

async function settle(world: World): Promise<void> {
  const { db, views, drains, writers, refresher } = world
  for (const each of [...writers, refresher]) await each.finish('commit')
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    await drains.whole.drain()
    await db.query('update view_state set not_before = null where not_before is not null')
    await plan(views)
    await drains.whole.drain()
    await drains.whole.rewarm()
    if ((await pending(db)).length === 0) return
  }
}

async function pending(db: Db): Promise<string[]> {
  const rows = await db.query<{ what: string }>(`
    select 'a change of ' || source as what from refresh_queue
    union all select 'a request for ' || view_name from view_state where requested > satisfied
    union all select 'a tenant in ' || view_name from view_change
    union all select 'an entry of ' || report from dirty_entry where not is_moved or rewarms`)
  return rows.map(({ what }) => `${what} is pending`)
}

async function wrong({ db, reports }: World): Promise<string[]> {
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

async function reset(world: World): Promise<void> {
  const { db, store, writers, refresher } = world
  for (const each of [...writers, refresher]) await each.finish('rollback')
  await db.query(
    'truncate ledger.entries; truncate refresh_queue, view_change, dirty_entry, job_runs',
  )
  await db.query("select refresh_view('totals'), refresh_view('grand')")
  await db.query('truncate refresh_queue; update view_state set satisfied = requested')
  await store.bust('all')
}
