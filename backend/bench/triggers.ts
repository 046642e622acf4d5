// `npm run bench:triggers`: what the triggers cost those who write, on a durable PostgreSQL of its own, beside other forms of them.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { print, tell } from '../cli/output.ts'
import { connect, startEmbeddedPostgres, type Db, type Queryable } from '../engine/db/index.ts'
import { install } from '../engine/install.ts'
import { createLog } from '../engine/log.ts'
import { FORMS, forms, installForms, type Form } from './trigger-forms.ts'
import { sampleWaits, type Waits } from './waits.ts'
import { hasPgbench, ownWriters, pgbench, TENANT } from './writers.ts'

/** Short rounds, many of them, because the disk of one moment is not that of the next. */
const ROUNDS = 25
const COMMITS = 3200
const COMMITS_OF_ONE = 500
const FORM_COMMITS = 1600
const THROUGHPUT_MS = 25_000
const WORK_ROUNDS = 7
const STATEMENTS = 2000
const ALONE_ROUNDS = 21
const ALONE = 200
const BULK_ROWS = 1000
const BULK_STATEMENTS = 10
const BULK_FORMS = ['none', 'ours', 'by_row'] as const
const DRAIN_EVERY_MS = 100

await withDatabase(async (db, url) => {
  tellLoad('start')
  await installForms(db)
  const draining = setInterval(() => {
    db.query('delete from refresh_queue').catch(() => undefined)
  }, DRAIN_EVERY_MS)
  const write = (await hasPgbench()) ? pgbench : ownWriters
  tell(
    `Writers are ${write === pgbench ? 'pgbench, with prepared statements' : 'clients of this process: there is no pgbench'}.`,
  )
  const writing: Writing = (form, clients, commits) => {
    const commitsEach = Math.ceil(commits / clients)
    return sampleWaits(db, write({ url, table: `bench.${form}`, clients, commitsEach }))
  }
  await printWork(db)
  await printThroughput(writing, { clients: 1, commits: COMMITS_OF_ONE })
  await printThroughput(writing, { clients: 16, commits: COMMITS })
  await printForms(writing)
  clearInterval(draining)
  tellLoad('end')
})

type Writing = (form: Form, clients: number, commits: number) => Promise<[number, Waits]>

async function withDatabase(work: (db: Db, url: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'prewarm-bench-'))
  chmodSync(folder, 0o755)
  const log = createLog({ level: 'warn', format: 'text' })
  const settings = { fsync: 'on', synchronous_commit: 'on' }
  const server = await startEmbeddedPostgres({ folder: join(folder, 'postgres'), log, settings })
  const pool = { applicationName: 'bench', max: 4, statementTimeoutMs: 60_000, schemas: [] }
  const db = connect({ ...pool, connectionString: server.url, log })
  try {
    await install(db, [], log)
    await work(db, server.url)
  } finally {
    await db.end()
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

function tellLoad(when: string): void {
  print(
    `\nload of the machine at the ${when}: ${loadavg()[0]?.toFixed(1)} on ${cpus().length} cores`,
  )
}

/** What the server itself works, in processor time, whatever else the machine does; no network, no waiting for the disk. */
async function printWork(db: Db): Promise<void> {
  await printRounds(db, 'one insert of a row, each in a transaction of its own, no wait for disk', {
    among: forms,
    rounds: ALONE_ROUNDS,
    measure: oneByOne,
  })
  await printRounds(db, 'one insert of a row, many in one transaction', {
    among: forms,
    rounds: WORK_ROUNDS,
    measure: inOne,
  })
  await printRounds(db, `one statement of ${BULK_ROWS} rows`, {
    among: BULK_FORMS,
    rounds: WORK_ROUNDS,
    measure: inBulk,
  })
}

type Measuring = {
  among: readonly Form[]
  rounds: number
  measure: (session: Queryable, form: Form) => Promise<number>
}

async function printRounds(db: Db, what: string, measuring: Measuring): Promise<void> {
  const rounds = await db.session((session) => inTurn(session, measuring))
  print(
    `\nWork of the server for ${what} (median of ${rounds.length} rounds, and of the differences in each)`,
  )
  for (const form of measuring.among) {
    const own = median(rounds.map((round) => round.get(form) ?? 0))
    const more = median(rounds.map((round) => (round.get(form) ?? 0) - (round.get('none') ?? 0)))
    print(`${FORMS[form].padEnd(60)} ${cell(own)} µs ${form === 'none' ? '' : `+${cell(more)} µs`}`)
  }
}

/** In turn, and back again, because one moment is not like the next. */
async function inTurn(
  session: Queryable,
  { among, rounds, measure }: Measuring,
): Promise<ReadonlyMap<Form, number>[]> {
  const seen: Map<Form, number>[] = []
  while (seen.length < rounds) {
    const round = new Map<Form, number>()
    for (const form of seen.length % 2 === 0 ? among : among.toReversed())
      round.set(form, await measure(session, form))
    seen.push(round)
  }
  return seen
}

/** Microseconds of processor time per statement. */
async function inOne(session: Queryable, form: Form): Promise<number> {
  await session.query(`do $$ begin ${inserts(form, 200)} end $$`)
  const before = await worked(session)
  await session.query(`do $$ begin ${inserts(form, STATEMENTS)} end $$`)
  return ((await worked(session)) - before) / STATEMENTS
}

async function inBulk(session: Queryable, form: Form): Promise<number> {
  const insert = () =>
    session.query(
      `insert into bench.${form} (tenant_id, amount) select '${TENANT}', n from generate_series(1, ${BULK_ROWS}) n`,
    )
  await insert()
  const before = await worked(session)
  for (let i = 0; i < BULK_STATEMENTS; i += 1) await insert()
  return ((await worked(session)) - before) / BULK_STATEMENTS
}

function inserts(form: Form, count: number): string {
  return `for i in 1..${count} loop insert into bench.${form} (tenant_id, amount) values ('${TENANT}', i); end loop;`
}

async function oneByOne(session: Queryable, form: Form): Promise<number> {
  await session.query('set synchronous_commit = off')
  const insert = () =>
    session.query(`insert into bench.${form} (tenant_id, amount) values ($1, $2)`, [TENANT, 1])
  for (let i = 0; i < 20; i += 1) await insert()
  const before = await worked(session)
  for (let i = 0; i < ALONE; i += 1) await insert()
  const us = ((await worked(session)) - before) / ALONE
  await session.query('set synchronous_commit = on')
  return us
}

/** Processor time of the session's backend in microseconds; where the system does not tell it, the time of the clock. */
async function worked(session: Queryable): Promise<number> {
  const rows = await session.query<{ us: number }>(
    `select coalesce(
       split_part(pg_read_file('/proc/self/schedstat', 0, 100, true), ' ', 1)::double precision / 1000,
       extract(epoch from clock_timestamp()) * 1e6)::double precision as us`,
  )
  return rows[0]?.us ?? 0
}

type Size = { clients: number; commits: number }

async function printThroughput(write: Writing, size: Size): Promise<void> {
  const rounds: Round[] = []
  const end = performance.now() + THROUGHPUT_MS
  while (rounds.length < ROUNDS && performance.now() < end)
    rounds.push(await bothSides(write, size, rounds.length % 2 === 0))
  const { clients, commits } = size
  const longer = rounds.map(({ plain, ours }) => (clients / ours[0] - clients / plain[0]) * 1e6)
  const side = (name: 'plain' | 'ours'): string =>
    `${cell(median(rounds.map((round) => round[name][0])))} commits/s, waiting for locks: ${waited(rounds.map((round) => round[name][1]))}`
  print(`
${clients} ${clients === 1 ? 'client' : 'clients'} of one tenant, durable commits (medians of ${rounds.length} rounds of both sides, ${commits} commits each)
without triggers  ${side('plain')}
with triggers     ${side('ours')}
ratio of throughput ${median(rounds.map(({ plain, ours }) => ours[0] / plain[0])).toFixed(3)}; a statement took ${median(longer).toFixed(0)} µs longer for its client, commit, disk and all; per commit ${(median(longer) / clients).toFixed(0)} µs`)
}

type Round = Record<'plain' | 'ours', [number, Waits]>

/** Now the one first, now the other. */
async function bothSides(write: Writing, size: Size, isPlainFirst: boolean): Promise<Round> {
  const { clients, commits } = size
  if (isPlainFirst) {
    const plain = await write('none', clients, commits)
    return { plain, ours: await write('ours', clients, commits) }
  }
  const ours = await write('ours', clients, commits)
  return { plain: await write('none', clients, commits), ours }
}

function waited(all: readonly Waits[]): string {
  const sum = new Map<string, number>()
  for (const [name, count] of all.flatMap(({ locks }) => [...locks]))
    sum.set(name, (sum.get(name) ?? 0) + count)
  return `${describe(sum)} (${all.reduce((looks, each) => looks + each.looks, 0)} looks)`
}

async function printForms(write: Writing): Promise<void> {
  print(`\n16 clients of one tenant, ${FORM_COMMITS} commits with each form`)
  for (const form of forms) {
    const [tps, { looks, locks, other }] = await write(form, 16, FORM_COMMITS)
    print(
      `${FORMS[form].padEnd(60)} ${cell(tps)} commits/s  waiting for locks: ${describe(locks)}; else: ${describe(other)} (${looks} looks)`,
    )
  }
}

function describe(seen: ReadonlyMap<string, number>): string {
  const told = Array.from(seen, ([name, count]) => `${name} ${count}`)
  return told.length === 0 ? 'none' : told.join(', ')
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

function cell(value: number): string {
  return value.toFixed(1).padStart(8)
}
