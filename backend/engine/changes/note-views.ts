// Nothing here waits for a lock: a transaction that has refreshed a view by hand holds its rows until it ends, and must not keep
// the drainers from the changes of other sources.
import type { Queryable } from '../db/index.ts'
import { WITH_TOUCHED } from './touched.ts'

/**
 * Requests those views that are refreshed upon changes, each some time after the first change that it does not show. Of a view
 * whose row is locked the request is put aside, and the planner makes it.
 */
export async function requestViews(tx: Queryable, changes: string): Promise<void> {
  await tx.query(
    `with wanted as (
       select reader as view_name, max(debounce_seconds) as debounce_seconds
       from source_reader
       where kind = 'view' and debounce_seconds is not null
         and source in (select source from jsonb_to_recordset($1::jsonb) as given (source text))
       group by 1
     ), free as (
       select s.view_name, debounce_seconds from view_state s join wanted using (view_name)
       order by 1
       for no key update of s skip locked
     ), requested as (
       update view_state s set
         requested = requested + 1,
         pending_since = coalesce(pending_since, clock_timestamp()),
         reasons = case when 'change' = any (reasons) then reasons else array_append(reasons, 'change') end,
         not_before = case
           when requested > satisfied then not_before
           else clock_timestamp() + make_interval(secs => debounce_seconds)
         end
       from free
       where s.view_name = free.view_name
     )
     insert into view_request (view_name, asked_at, not_before)
     select view_name, clock_timestamp(), clock_timestamp() + make_interval(secs => debounce_seconds)
     from view_state join wanted using (view_name)
     where view_name not in (select view_name from free)
     order by 1
     on conflict (view_name) do nothing`,
    [changes],
  )
}

/**
 * Notes for which tenants the views that read what was changed are behind. What is noted already gets another number, unless it is
 * locked; then there is a second row.
 */
export async function noteBehindViews(tx: Queryable, changes: string): Promise<void> {
  await tx.query(
    `${WITH_TOUCHED}, behind as (
       select view_name, tenant, min(changed_at) as changed_at
       from touched
       join source_reader using (source)
       join view_state on view_name = reader and kind = 'view'
       group by 1, 2
       order by 1, 2
     ), free as (
       select known.view_name, known.tenant_id, known.change
       from view_change known join behind on known.view_name = behind.view_name and known.tenant_id = behind.tenant
       order by 1, 2
       for update of known skip locked
     ), renewed as (
       update view_change known set change = nextval('view_change_number')
       from free
       where (known.view_name, known.tenant_id, known.change) = (free.view_name, free.tenant_id, free.change)
       returning known.view_name, known.tenant_id
     )
     insert into view_change (view_name, tenant_id, change, changed_at)
     select view_name, tenant, nextval('view_change_number'), changed_at from behind
     where (view_name, tenant) not in (select view_name, tenant_id from renewed)`,
    [changes],
  )
}
