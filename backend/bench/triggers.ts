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
const ROUNDS = 11
const COMMITS = 8000
const COMMITS_OF_ONE = 1500
const FORM_COMMITS = 3000
const THROUGHPUT_MS = 20_000
const WORK_ROUNDS = 7
const STATEMENTS = 4000
const ALONE = 700
const BULK_ROWS = 1000
const BULK_STATEMENTS = 20
const BULK_FORMS = ['none', 'ours', 'by_row'] as const
/** Of which the figures are that the promise is about. */
const PAIR = ['none', 'ours'] as const
const DRAIN_EVERY_MS = 100

await withDatabase(async (db, url) => {
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
  print(`\nload of the machine at the end: ${loadavg()[0]?.toFixed(1)} on ${cpus().length} cores`)
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

/** What the server itself works, whatever else the machine does; no commit, no network. */
async function printWork(db: Db): Promise<void> {
  const work = await leasts(forms, WORK_ROUNDS, (form) =>
    db.session((session) => inOne(session, form)),
  )
  print(
    `\nWork of the server for a single-row insert, many in one transaction (least of ${WORK_ROUNDS} rounds of ${STATEMENTS})`,
  )
  for (const form of forms) print(`${FORMS[form].padEnd(60)} ${added(work, form)}`)
  const bulk = await leasts(BULK_FORMS, WORK_ROUNDS, (form) =>
    db.session((session) => inBulk(session, form)),
  )
  print(`one statement of ${BULK_ROWS} rows (least of ${WORK_ROUNDS} rounds)`)
  for (const form of BULK_FORMS) print(`${FORMS[form].padEnd(60)} ${added(bulk, form)}`)
  const alone = await leasts(PAIR, WORK_ROUNDS, (form) =>
    db.session((session) => oneByOne(session, form)),
  )
  print(
    `each in a transaction of its own, which does not wait for the disk (least of ${WORK_ROUNDS} rounds of ${ALONE})`,
  )
  for (const form of PAIR) print(`${FORMS[form].padEnd(60)} ${added(alone, form)}`)
}

function added(work: ReadonlyMap<Form, number>, form: Form): string {
  const own = work.get(form) ?? 0
  return `${cell(own)} µs ${form === 'none' ? '' : `+${cell(own - (work.get('none') ?? 0))} µs`}`
}

/** The least of each, because what else the machine does only adds; in turn, because one moment is not like the next. */
async function leasts(
  among: readonly Form[],
  rounds: number,
  measure: (form: Form) => Promise<number>,
): Promise<ReadonlyMap<Form, number>> {
  const values = new Map(among.map((form) => [form, new Array<number>()]))
  for (let round = 0; round < rounds; round += 1) {
    for (const form of among) values.get(form)?.push(await measure(form))
  }
  return new Map(among.map((form) => [form, Math.min(...(values.get(form) ?? [0]))]))
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
  return ((await worked(session)) - before) / ALONE
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

async function printThroughput(write: Writing, { clients, commits }: Size): Promise<void> {
  const plain: number[] = []
  const ours: number[] = []
  const waits: Waits[] = []
  const end = performance.now() + THROUGHPUT_MS
  while (plain.length < ROUNDS && performance.now() < end) {
    plain.push((await write('none', clients, commits))[0])
    const [tps, seen] = await write('ours', clients, commits)
    ours.push(tps)
    waits.push(seen)
  }
  const [without, withThem] = [median(plain), median(ours)]
  const longer = (clients / withThem - clients / without) * 1e6
  print(`
${clients} ${clients === 1 ? 'client' : 'clients'} of one tenant, durable commits (median of ${plain.length} interleaved rounds)
without triggers  ${cell(without)} commits/s
with triggers     ${cell(withThem)} commits/s, ratio ${(withThem / without).toFixed(3)}
a statement took ${longer.toFixed(0)} µs longer as its client sees it, commit, disk and all
locks that writers with triggers were waiting for in ${waits.reduce((sum, { looks }) => sum + looks, 0)} looks: ${waits.map(({ locks }) => describe(locks)).find((told) => told !== 'none') ?? 'none'}`)
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
