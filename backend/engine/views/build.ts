// Makes one view. It is built and indexed under another name while the old one is read, and then takes its place in one
// short transaction. The old one stays a while under a third name, because views above it may hang on it still.
import { SECOND } from '../clock.ts'
import { quoteIdentifier, type Db, type Queryable } from '../db/index.ts'
import { PrewarmError } from '../errors.ts'
import type { InstalledView } from './catalog.ts'
import { BUILDING, createIndex, createView, idOf, indexesOf } from './definition.ts'
import { swap } from './swap.ts'
import type { Built } from './view-row.ts'

/** Nobody else may be at the view: the caller holds its lock. */
export async function buildView(
  db: Db,
  view: InstalledView,
  above: readonly string[],
): Promise<void> {
  await refuseForeignReaders(db, view)
  const built = await db.transaction((tx) => build(tx, view))
  await swap(db, view, built, above)
}

async function build(tx: Queryable, view: InstalledView): Promise<Built> {
  await tx.query("select set_config('statement_timeout', $1, true)", [
    String(view.timeoutSeconds * SECOND),
  ])
  await tx.query(`drop materialized view if exists ${idOf(view, BUILDING)}`)
  const seen = await seenBefore(tx, view)
  const started = performance.now()
  await tx.query(createView(view, BUILDING))
  const durationMs = Math.round(performance.now() - started)
  const rows = await countRows(tx, view)
  for (const index of indexesOf(view)) await tx.query(createIndex(view, index, BUILDING))
  await tx.query(`analyze ${idOf(view, BUILDING)}`)
  await copyGrants(tx, view)
  return { ...seen, rows, durationMs }
}

type Seen = Pick<Built, 'began_at' | 'requested' | 'tenants' | 'changes'>

async function seenBefore(tx: Queryable, { name }: InstalledView): Promise<Seen> {
  const rows = await tx.query<Seen>(
    `select now() as began_at,
            coalesce((select requested from view_state where view_name = $1), 0)::text as requested,
            array(select tenant_id::text from view_change where view_name = $1 order by 1) as tenants,
            array(select change::text from view_change where view_name = $1 order by tenant_id::text) as changes`,
    [name],
  )
  if (!rows[0]) throw new Error('PostgreSQL returned no row.')
  return rows[0]
}

async function countRows(tx: Queryable, view: InstalledView): Promise<number> {
  const columns = view.uniqueBy.map((column) => `${quoteIdentifier(column)} is null`)
  const [counts] = await tx.query<{ rows: number; nameless: number }>(
    `select count(*)::integer as rows, (count(*) filter (where ${columns.join(' or ')}))::integer as nameless
     from ${idOf(view, BUILDING)}`,
  )
  const { rows = 0, nameless = 0 } = counts ?? {}
  if (nameless === 0) return rows
  throw wrong(`its key (${view.uniqueBy.join(', ')}) is null in ${nameless} rows`)
}

async function copyGrants(tx: Queryable, view: InstalledView): Promise<void> {
  const grants = await tx.query<{ statement: string }>(
    `select format('grant %s on %s to %s%s', privilege_type, $2::text,
                   case grantee when 0 then 'public' else grantee::regrole::text end,
                   case when is_grantable then ' with grant option' else '' end) as statement
     from pg_class, aclexplode(relacl)
     where oid = to_regclass($1) and grantee <> relowner`,
    [idOf(view), idOf(view, BUILDING)],
  )
  for (const { statement } of grants) await tx.query(statement)
}

// What reads the old one would go on reading it, and never change again.
async function refuseForeignReaders(db: Db, view: InstalledView): Promise<void> {
  const rows = await db.query<{ reader: string }>(
    `select distinct coalesce(r.ev_class::regclass::text, pg_describe_object(d.classid, d.objid, d.objsubid)) as reader
     from pg_class c
     join pg_depend d on d.deptype = 'n'
       and ((d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid)
         or (d.refclassid = 'pg_type'::regclass and d.refobjid = c.reltype))
     left join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
     left join pg_class reader on reader.oid = r.ev_class
     where c.oid = to_regclass($1) and c.relkind = 'm'
       and (reader.oid is null
         or not exists (select from view_state s
                        where reader.relname = s.view_name or starts_with(reader.relname, s.view_name || '__')))`,
    [idOf(view)],
  )
  if (rows.length === 0) return
  const readers = rows.map(({ reader }) => reader).join(', ')
  throw wrong(`${readers} would go on reading the old one: drop it, and make it again afterwards`)
}

function wrong(message: string): PrewarmError {
  return new PrewarmError('bad_configuration', message)
}
