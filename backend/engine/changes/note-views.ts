import type { Queryable } from '../db/index.ts'
import { WITH_TOUCHED } from './touched.ts'

/** Requests those views that are refreshed upon changes, each some time after the first change that it does not show. */
export async function requestViews(tx: Queryable, changes: string): Promise<void> {
  await tx.query(
    `with wanted as (
       select view_name, debounce_seconds
       from view_state join source_reader on reader = view_name and kind = 'view'
       where debounce_seconds is not null
         and source in (select source from jsonb_to_recordset($1::jsonb) as given (source text))
       order by view_name
       for update of view_state
     )
     update view_state set
       requested = requested + 1,
       pending_since = coalesce(pending_since, clock_timestamp()),
       reasons = case when 'change' = any (reasons) then reasons else array_append(reasons, 'change') end,
       not_before = case
         when requested > satisfied then not_before
         else clock_timestamp() + make_interval(secs => debounce_seconds)
       end
     from (select view_name, max(debounce_seconds) as debounce_seconds from wanted group by 1) as wanted
     where view_state.view_name = wanted.view_name`,
    [changes],
  )
}

/** Notes for which tenants the views that read what was changed are behind. */
export async function noteBehindViews(tx: Queryable, changes: string): Promise<void> {
  await tx.query(
    `${WITH_TOUCHED}, behind as (
       select view_name, tenant, min(changed_at) as changed_at
       from touched
       join source_reader using (source)
       join view_state on view_name = reader and kind = 'view'
       group by 1, 2
       order by 1, 2
     )
     insert into view_change as known (view_name, tenant_id, change, changed_at)
     select view_name, tenant, nextval('view_change_number'), changed_at from behind
     on conflict (view_name, tenant_id) do update set
       change = excluded.change, changed_at = least(known.changed_at, excluded.changed_at)`,
    [changes],
  )
}
