// What the database says of the views, and what is wrong with it.
import { quoteIdentifier, type Queryable } from '../db/index.ts'
import type { InstalledView, ViewCatalog } from './catalog.ts'

export type ViewFacts = {
  name: string
  /** Of what is installed; null if this view was never made, empty if it must be made anew. */
  hash: string | null
  /** Null if nothing has the view's name; `m` is a materialized view. */
  kind: string | null
  is_populated: boolean
  is_owned: boolean
  /** Whether there is an index by which it can be refreshed while it is being read. */
  has_key: boolean
  missing_sources: string[]
  /** Whether it failed a moment ago, or a change is to rest before it is refreshed. */
  waits: boolean
}

export type ViewProblem = {
  view: string
  problem:
    | 'not made'
    | 'missing'
    | 'not a materialized view'
    | 'not owned'
    | 'not populated'
    | 'no unique index'
    | 'source missing'
    | 'other text'
  message: string
}

export async function inspectViews(
  db: Queryable,
  { all }: ViewCatalog,
): Promise<Map<string, ViewFacts>> {
  const wanted = all.map(({ name, domain, sources }) => ({
    name,
    domain,
    sources: sources.map(quoteQualified),
  }))
  const rows = await db.query<ViewFacts>(
    `select v.name, s.definition_hash as hash, c.relkind::text as kind,
            coalesce(c.relispopulated, false) as is_populated,
            coalesce(pg_has_role(c.relowner, 'usage'), false) as is_owned,
            exists (
              select from pg_index i
              where i.indrelid = c.oid and i.indisunique and i.indisvalid and i.indimmediate
                and i.indpred is null and i.indexprs is null
            ) as has_key,
            array(select source from jsonb_array_elements_text(v.sources) source
                  where to_regclass(source) is null) as missing_sources,
            coalesce(s.not_before > clock_timestamp(), false) as waits
     from jsonb_to_recordset($1) v (name text, domain text, sources jsonb)
     left join view_state s on s.view_name = v.name
     left join pg_class c on c.oid = to_regclass(format('%I.%I', v.domain, v.name))`,
    [JSON.stringify(wanted)],
  )
  return new Map(rows.map((facts) => [facts.name, facts]))
}

function quoteQualified(source: string): string {
  return source.split('.').map(quoteIdentifier).join('.')
}

export function problemsOf(view: InstalledView, facts: ViewFacts | undefined): ViewProblem[] {
  const problem = (what: ViewProblem['problem'], message: string): ViewProblem => ({
    view: view.name,
    problem: what,
    message,
  })
  if (!facts || facts.hash === null)
    return [problem('not made', 'It was never made: run "prewarm migrate".')]
  const missing = facts.missing_sources.map((source) =>
    problem('source missing', `It reads ${source.replaceAll('"', '')}, which does not exist.`),
  )
  if (facts.kind === null) return [problem('missing', 'It was dropped.'), ...missing]
  if (facts.kind !== 'm')
    return [problem('not a materialized view', `${view.qualified} is something else.`)]
  const found: [boolean, ViewProblem][] = [
    [
      !facts.is_owned,
      problem('not owned', 'It belongs to another role, so it cannot be refreshed.'),
    ],
    [!facts.is_populated, problem('not populated', 'It was never filled, so it cannot be read.')],
    [
      !facts.has_key,
      problem('no unique index', 'Without one it cannot be refreshed while it is being read.'),
    ],
    [
      facts.hash !== view.hash,
      problem('other text', 'Its text is not the one that is installed: run "prewarm migrate".'),
    ],
  ]
  return [...found.flatMap(([isSo, what]) => (isSo ? [what] : [])), ...missing]
}
