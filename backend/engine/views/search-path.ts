import { quoteIdentifier, type Db } from '../db/index.ts'
import type { Domain } from '../domain.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'

/** So that SQL that names tables and views plainly finds them in psql, too. Whether it may be set is the administrator's. */
export async function setSearchPath(db: Db, domains: readonly Domain[], log: Log): Promise<void> {
  const path = ['"$user"', 'public', ...domains.map(({ name }) => quoteIdentifier(name))].join(', ')
  try {
    await db.query(
      // One at a time: two that change the same setting at once fail.
      `do $do$
       begin
         perform pg_advisory_xact_lock(hashtext('prewarm search_path'));
         if not exists (
           select from pg_db_role_setting, unnest(setconfig) as setting
           where setrole = 0 and setting = ${literal(`search_path=${path}`)}
             and setdatabase = (select oid from pg_database where datname = current_database())
         ) then
           execute format('alter database %I set search_path to ${path.replaceAll("'", "''")}', current_database());
         end if;
       end
       $do$`,
    )
  } catch (error) {
    log.warn(
      `The database's search_path could not be set; in psql, "set search_path to ${path}" does the same.`,
      { error: messageOf(error) },
    )
  }
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
