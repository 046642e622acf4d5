// Puts triggers on the sources. What is as it should be is left alone: making a trigger locks its table, and whoever waits for
// that lock makes all writers wait behind him.
import { setTimeout as sleep } from 'node:timers/promises'
import { quoteIdentifier, type Db, type Queryable } from '../db/index.ts'
import type { Domain } from '../domain.ts'
import { PrewarmError } from '../errors.ts'
import { installReaders } from './install-readers.ts'
import { trackedSource, trackedSources, wrong, type TrackedSource } from './sources.ts'
import {
  FUNCTION_PREFIX,
  functionBody,
  functionName,
  functionSql,
  TRIGGER_NAMES,
  triggersSql,
} from './trigger-sql.ts'

const LOCK_TIMEOUT_MS = 500
const PAUSE_MS = 500
const ATTEMPTS = 40

/**
 * Makes every tracked source note its changes, and returns the names of those where something had to be done. Throws
 * `bad_configuration` for a source that cannot be tracked, and `unavailable` for one that is locked all the time.
 */
export async function installChanges(db: Db, domains: readonly Domain[]): Promise<string[]> {
  const wanted = trackedSources(domains)
  const done: string[] = []
  for (const source of wanted) {
    const relations = await relationsOf(db, source)
    if (await isInstalled(db, source, relations)) continue
    await patiently(source.name, () => makeTriggers(db, source, relations))
    done.push(source.name)
  }
  await installReaders(db, domains)
  return [...done, ...(await dropUnread(db, wanted))]
}

type Relation = { oid: number; quoted: string }

/** The table and, if it has any, its partitions: a statement that names a partition fires that one's triggers only. */
async function relationsOf(db: Queryable, source: TrackedSource): Promise<Relation[]> {
  const { name, schema, table, tenantColumn } = source
  const [found] = await db.query<{ oid: number; kind: string; type: string | null }>(
    `select c.oid::integer as oid, c.relkind as kind,
       (select atttypid::regtype::text from pg_attribute where attrelid = c.oid and attname = $3 and not attisdropped) as type
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relname = $2`,
    [schema, table, tenantColumn],
  )
  if (!found) throw wrong(`The source ${name} has no table in the database.`)
  if (!['r', 'p'].includes(found.kind))
    throw wrong(`The source ${name} is no plain table. Set isTracked: false for it.`)
  if (found.type !== 'uuid')
    throw wrong(
      `The source ${name} has no column ${tenantColumn} of type uuid${found.type ? `, but one of type ${found.type}` : ''}.`,
    )
  return db.query<Relation>(
    `with recursive relation as (
       select $1::oid as oid
       union all
       select inhrelid from pg_inherits join relation on inhparent = relation.oid
     )
     select c.oid::integer as oid, format('%I.%I', n.nspname, c.relname) as quoted
     from relation join pg_class c using (oid) join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p')`,
    [found.oid],
  )
}

async function isInstalled(
  db: Queryable,
  source: TrackedSource,
  relations: readonly Relation[],
): Promise<boolean> {
  const rows = await db.query<{ body: string; triggers: number }>(
    `select p.prosrc as body,
       (select count(*)::integer from pg_trigger
        where tgfoid = p.oid and tgenabled = 'A' and tgrelid::bigint = any ($2) and tgname = any ($3)) as triggers
     from pg_proc p
     where p.pronamespace = 'public'::regnamespace and p.proname = $1
       and not has_function_privilege('public', p.oid, 'execute')`,
    [functionName(source), relations.map(({ oid }) => oid), TRIGGER_NAMES],
  )
  const [{ body, triggers } = { body: '', triggers: 0 }] = rows
  return body === functionBody(source) && triggers === relations.length * TRIGGER_NAMES.length
}

async function makeTriggers(
  db: Db,
  source: TrackedSource,
  relations: readonly Relation[],
): Promise<void> {
  await db.transaction(async (tx) => {
    await alone(tx)
    await tx.query(functionSql(source))
    for (const { oid, quoted } of relations) {
      if (!(await isInstalled(tx, source, [{ oid, quoted }])))
        await tx.query(triggersSql(source, quoted))
    }
  })
}

/** Drops the triggers of what nobody reads any more, with their functions. A source of another program's domains is read still. */
async function dropUnread(db: Db, wanted: readonly TrackedSource[]): Promise<string[]> {
  const read = await db.query<{ source: string }>('select distinct source from source_reader')
  const others = read.map(({ source }) => trackedSource(source, { tenantColumn: '' }))
  const unread = await db.query<{ name: string; triggers: string[] }>(
    `select p.proname as name,
       array(select format('%I on %s', tgname, tgrelid::regclass) from pg_trigger where tgfoid = p.oid) as triggers
     from pg_proc p
     where p.pronamespace = 'public'::regnamespace and p.proname like $1 and p.proname <> all ($2)`,
    [
      `${FUNCTION_PREFIX.replaceAll('_', String.raw`\_`)}%`,
      [...wanted, ...others].map(functionName),
    ],
  )
  for (const { name, triggers } of unread) {
    await patiently(name, () =>
      db.transaction(async (tx) => {
        await alone(tx)
        for (const trigger of triggers) await tx.query(`drop trigger if exists ${trigger}`)
        await tx.query(`drop function if exists public.${quoteIdentifier(name)}()`)
      }),
    )
  }
  return unread.map(({ name }) => name)
}

/** Several installers at once would trip over each other's catalog rows. */
async function alone(tx: Queryable): Promise<void> {
  await tx.query("select pg_advisory_xact_lock(hashtext('prewarm'), hashtext('triggers'))")
  await tx.query(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`)
}

const LOCK_NOT_AVAILABLE = '55P03'

async function patiently(name: string, work: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work()
    } catch (error) {
      if (!isLocked(error)) throw error
      if (attempt === ATTEMPTS) throw busy(name, error)
      await sleep(PAUSE_MS)
    }
  }
}

function isLocked(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === LOCK_NOT_AVAILABLE
}

function busy(name: string, cause: unknown): PrewarmError {
  const message = `The triggers of ${name} could not be changed: its table was locked all the time. Try again.`
  return new PrewarmError('unavailable', message, { cause })
}
