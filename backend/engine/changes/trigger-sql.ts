// The statements that make a source tell of its changes. The function names its source and column itself, so that its plans
// are made once per session; it belongs to whoever installs it, so that any role may write to the source. Pinning its
// search_path would cost every statement, so instead all that is looked up by name is qualified, operators and types too.
import { createHash } from 'node:crypto'
import { quoteIdentifier } from '../db/index.ts'
import type { TrackedSource } from './sources.ts'

/** How often the triggers of all sources together wake the drainers, at most. */
const WAKE_EVERY_MS = 200

export const FUNCTION_PREFIX = 'prewarm_note_'

/** The longest name of PostgreSQL is 63 bytes; the hash tells `a.b_c` from `a_b.c`. */
export function functionName({ name }: TrackedSource): string {
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 8)
  return `${FUNCTION_PREFIX}${name.replaceAll(/[^a-z0-9]/gi, '_').slice(0, 40)}_${hash}`
}

/** Triggers fire whoever writes; but nobody else may put the function on a table of his own, whose types could run his code as ours. */
export function functionSql(source: TrackedSource): string {
  const name = `public.${quoteIdentifier(functionName(source))}()`
  return `
create or replace function ${name} returns trigger
language plpgsql security definer as $prewarm$${functionBody(source)}$prewarm$;
revoke execute on function ${name} from public`
}

// A row without a tenant belongs to nobody's reports.
export function functionBody({ name, tenantColumn }: TrackedSource): string {
  const source = quoteLiteral(name)
  const tenant = quoteIdentifier(tenantColumn)
  const noteEach = (operation: string, rows: string): string => `
    insert into public.refresh_queue (source, tenant_id, operation)
    select ${source}, tenant, '${operation}' from (${rows}) touched where tenant is not null;`
  return `
begin
  if tg_op operator(pg_catalog.=) 'INSERT' then${noteEach('INSERT', `select distinct ${tenant} as tenant from new_rows`)}
  elsif tg_op operator(pg_catalog.=) 'UPDATE' then${noteEach('UPDATE', `select ${tenant} as tenant from old_rows union select ${tenant} from new_rows`)}
  elsif tg_op operator(pg_catalog.=) 'DELETE' then${noteEach('DELETE', `select distinct ${tenant} as tenant from old_rows`)}
  else
    insert into public.refresh_queue (source, operation) values (${source}, tg_op);
  end if;
  if pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()) operator(pg_catalog.*) 1000 operator(pg_catalog.-) ${WAKE_EVERY_MS}
    operator(pg_catalog.>) pg_catalog.pg_sequence_last_value('public.refresh_queue_woken'::pg_catalog.regclass) then
    perform public.refresh_queue_wake();
  end if;
  return null;
end
`
}

const TRIGGERS = [
  ['prewarm_insert', 'insert', 'referencing new table as new_rows'],
  ['prewarm_update', 'update', 'referencing old table as old_rows new table as new_rows'],
  ['prewarm_delete', 'delete', 'referencing old table as old_rows'],
  ['prewarm_truncate', 'truncate', ''],
] as const

export const TRIGGER_NAMES: readonly string[] = TRIGGERS.map(([name]) => name)

/** `relation` is the quoted name of the table or of a partition of it. Always enabled: a session that plays a replica writes, too. */
export function triggersSql(source: TrackedSource, relation: string): string {
  const made = TRIGGERS.map(
    ([name, event, rows]) => `
create or replace trigger ${name} after ${event} on ${relation} ${rows}
for each statement execute function public.${quoteIdentifier(functionName(source))}();
alter table only ${relation} enable always trigger ${name};`,
  )
  return made.join('')
}

function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
