// The market, with instances of the whole service in this process, and real programs.
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { domains } from '../domains/index.ts'
import type { Db } from '../engine/db/index.ts'
import type { Domain } from '../engine/domain.ts'
import { install } from '../engine/install.ts'
import { TEST_SECRET, testApp, type AppOptions, type TestApp } from './app.ts'
import { testDatabase } from './database.ts'
import { eventually } from './eventually.ts'
import { testFolder } from './folder.ts'
import { holdOpen } from './hold-open.ts'
import { testLog } from './log.ts'
import { writeMarket } from './market-domain.ts'
import { startProgram } from './program.ts'
import { testRedis, type TestRedis } from './redis.ts'

export type Market = {
  db: Db
  url: string
  redis: TestRedis
  domain: Domain
  /** One more instance in this process, which has begun to work. */
  app(options?: AppOptions): Promise<TestApp>
  /** The real program, whose sessions in the database have its name; resolves when it listens. */
  program(name: string): Promise<RunningProgram>
  sql: <R extends object>(text: string) => Promise<R[]>
  tenant(): Promise<string>
  sell(stall: string, tenant: string, item: string, amount: number): Promise<void>
  /** Refreshes of the stall's view that have begun wait until what it resolves with is called. */
  closeGate(stall: string): Promise<() => Promise<void>>
  /** What befalls refreshes of the stall's view from now on; null: nothing any more. */
  trouble(stall: string, what: 'slow' | 'full disk' | null): Promise<void>
  /** The sessions that wait in a statement like this one, for a lock or asleep. */
  waiting(statement: string): Promise<{ pid: number; name: string }[]>
  /** What nobody has come to yet, of whatever kind. */
  pending(): Promise<string[]>
  end(): Promise<void>
}

export type RunningProgram = { url: string; kill: () => Promise<void> }

/** A report of a stall as a superadmin reads it. */
export type Sum = { status: number; cache: string | null; amount: number | null }

/** `over`: the view, or the table itself. */
export async function readSum(
  { url, token }: { url: string; token: string },
  { stall, tenant, over = 'view' }: { stall: string; tenant: string; over?: 'view' | 'table' },
): Promise<Sum> {
  const report = over === 'view' ? `sum_${stall}` : `live_${stall}`
  const response = await fetch(`${url}/api/reports/market/${report}?tenant_id=${tenant}`, {
    headers: { authorization: `Bearer ${token}` },
  })
  const body: { data?: { amount: number } } = JSON.parse(await response.text())
  const { status, headers } = response
  return { status, cache: headers.get('x-cache'), amount: body.data?.amount ?? null }
}

/** With `isAlone` the instances in this process have no other domain. */
export async function market(stalls: readonly string[], { isAlone = false } = {}): Promise<Market> {
  const [{ db, url, drop }, redis, folder] = await Promise.all([
    testDatabase(),
    testRedis(),
    testFolder(),
  ])
  const domain = await writeMarket(folder.path, stalls)
  const all = isAlone ? [domain] : [...domains, domain]
  await install(db, all, testLog().log)
  const running: { stop(): Promise<unknown> }[] = []
  return {
    db,
    url,
    redis,
    domain,
    app: async (options) => {
      const app = await startApp({ databaseUrl: url, redisUrl: redis.url, domains: all }, options)
      running.push(app)
      return app
    },
    program: async (name) => {
      const program = await startMarket(name, { url, redis, folder: folder.path })
      running.push({ stop: program.kill })
      return program
    },
    ...onDatabase(db),
    end: async () => {
      await Promise.all(running.map((each) => each.stop()))
      await drop()
      await redis.stop()
      await folder.remove()
    },
  }
}

async function startApp(base: AppOptions, options: AppOptions = {}): Promise<TestApp> {
  const settings = { localTrustMs: 250, rewarmMs: 300, ...options.settings }
  const app = await testApp({ ...base, ...options, settings })
  await app.engine.start()
  return app
}

type Places = { url: string; redis: TestRedis; folder: string }

async function startMarket(name: string, { url, redis, folder }: Places): Promise<RunningProgram> {
  const program = startProgram(['serve'], {
    DATABASE_URL: `${url}?application_name=${name}`,
    REDIS_CACHE_URL: redis.url,
    PREWARM_HOME: join(folder, name),
    PREWARM_DOMAINS: folder,
    JWT_SECRET: TEST_SECRET,
    PORT: '0',
  })
  const kill = async (): Promise<void> => {
    program.child.kill('SIGKILL')
    await program.ended
  }
  const [, listens = ''] = await program.prints(/Listening on (\S+)/)
  return { url: listens, kill }
}

type OnDatabase = Pick<
  Market,
  'sql' | 'tenant' | 'sell' | 'closeGate' | 'trouble' | 'waiting' | 'pending'
>

function onDatabase(db: Db): OnDatabase {
  return {
    sql: (text) => db.query(text),
    tenant: async () => {
      const id = randomUUID()
      await db.query("insert into tenant (id, name) values ($1, 'A trader')", [id])
      return id
    },
    sell: async (stall, tenant, item, amount) => {
      const sale = [tenant, item, amount]
      await db.query(
        `insert into market.${stall} (tenant_id, item, amount) values ($1, $2, $3)`,
        sale,
      )
    },
    closeGate: (stall) =>
      holdOpen(db, (tx) =>
        tx.query("select pg_advisory_xact_lock(hashtext('market'), hashtext($1))", [stall]),
      ),
    trouble: async (stall, what) => {
      await db.query('delete from market.troubles where stall = $1', [stall])
      if (what !== null)
        await db.query('insert into market.troubles values ($1, $2)', [stall, what])
    },
    waiting: (statement) =>
      db.query(
        `select pid, application_name as name from pg_stat_activity
         where datname = current_database() and wait_event_type in ('Lock', 'Timeout') and query ~ $1`,
        [statement],
      ),
    pending: () => pending(db),
  }
}

async function pending(db: Db): Promise<string[]> {
  const rows = await db.query<{ what: string }>(`
    select 'a change of ' || source as what from refresh_queue
    union all select 'a tenant in ' || view_name from view_change
    union all select 'a request for ' || view_name from view_request
    union all select 'a request for ' || view_name from view_state where requested > satisfied
    union all select 'an entry of ' || report from dirty_entry where not is_moved or rewarms`)
  return rows.map(({ what }) => what)
}

/** Resolves when the report is a hit that shows this amount. */
export function untilHit(read: () => Promise<Sum>, amount: number): Promise<void> {
  return eventually(async () => {
    const sum = await read()
    if (sum.cache !== 'HIT' || sum.amount !== amount) throw new Error(JSON.stringify(sum))
  })
}
