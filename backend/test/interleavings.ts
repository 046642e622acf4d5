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
import { GATE, ledgerDomain } from './ledger-domain.ts'
import { pending, read, TENANTS, wrong } from './ledger-truth.ts'
import { testLog } from './log.ts'
import { reportsOver } from './reports.ts'
import { session, type End, type Session } from './sessions.ts'

export const WRITERS = 3

/** The tenant by its number in TENANTS; the row by its number among the writer's own. */
export type Write = { act: keyof typeof WRITES; tenant: number; row: number }

const WRITES = {
  insert: `insert into ledger.entries values ($1::bigint, $2::uuid, 1) on conflict (id) do update set amount = entries.amount + 1`,
  update: `update ledger.entries set amount = amount + 10 where id = $1::bigint or tenant_id = $2::uuid and id % 3 = $1::bigint % 3`,
  move: 'update ledger.entries set tenant_id = $2::uuid where id = $1::bigint',
  delete: 'delete from ledger.entries where id = $1::bigint and $2::uuid is not null',
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
  /** By hand, in a transaction that stays open; the refresh itself stops half-way. */
  beginRefresh(view: string): Promise<void>
  endRefresh(end: End): Promise<void>
  plan(): Promise<void>
  read(report: string, tenant: number): Promise<void>
  /** Commits what is open, and lets the engine go on until it has nothing to do. */
  settle(): Promise<void>
  /** What is not as it should be now: views and answers that differ from the source, and what is still pending. */
  wrong(): Promise<string[]>
  /** Back to an empty source, of which every entry is warm. */
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
  const [gate, refresher, ...writers] = sessions(url, db)
  const world = { db, store, reports, views, drains, writers, refresher, gate }
  return {
    ...stepsOf(world),
    settle: () => settle(world),
    wrong: () => wrong(db, reports),
    reset: () => reset(world),
    close: async () => {
      await Promise.all([...writers, refresher, gate].map((each) => each.close()))
      await Promise.all([views.stop(), ...Object.values(drains).map((each) => each.stop())])
      await work.end()
      await drop()
      await folder.remove()
    },
  }
}

function sessions(url: string, db: Db): [Session, Session, ...Session[]] {
  const one = (): Session => session(url, db)
  return [one(), one(), ...Array.from({ length: WRITERS }, one)]
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
  gate: Session
}

type Steps = Omit<Interleavings, 'settle' | 'wrong' | 'reset' | 'close'>

function stepsOf(world: World): Steps {
  const { reports, views, drains, writers, refresher, gate } = world
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
      await endRefresh(world, 'commit')
      await gate.begin()
      await gate.run('select pg_advisory_xact_lock($1)', [GATE])
      await refresher.begin()
      await refresher.run('set local lock_timeout = 0')
      await refresher.start('select refresh_view($1)', [view])
    },
    endRefresh: (end) => endRefresh(world, end),
    plan: () => givingUp(plan(views)),
    read: (name, tenant) => givingUp(read(reports, name, tenant)),
  }
}

async function endRefresh({ refresher, gate }: World, end: End): Promise<void> {
  await gate.finish('commit')
  await refresher.finish(end)
}

/** The engine meets failures all the time; whether it recovers is seen in the end. */
async function givingUp(work: Promise<unknown>): Promise<void> {
  await work.catch(() => undefined)
}

async function plan(views: Views): Promise<void> {
  await views.tick()
  await views.idle()
}

const MOST_ROUNDS = 50

async function settle(world: World): Promise<void> {
  const { db, views, drains, writers } = world
  await endRefresh(world, 'commit')
  for (const writer of writers) await writer.finish('commit')
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    await drains.whole.drain()
    await db.query('update view_state set not_before = null where not_before is not null')
    await plan(views)
    await drains.whole.drain()
    await drains.whole.rewarm()
    if ((await pending(db)).length === 0) return
  }
}

async function reset(world: World): Promise<void> {
  const { db, store, reports, writers } = world
  await endRefresh(world, 'rollback')
  for (const writer of writers) await writer.finish('rollback')
  await db.query(
    'truncate ledger.entries; truncate refresh_queue, view_change, dirty_entry, job_runs',
  )
  await db.query("select refresh_view('totals'), refresh_view('grand')")
  await db.query('truncate refresh_queue; update view_state set satisfied = requested')
  await store.bust('all')
  for (const name of ['balance', 'direct'])
    for (const tenant of TENANTS.keys()) await read(reports, name, tenant)
}
