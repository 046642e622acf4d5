import type { Queryable } from '../db/index.ts'
import { GLOBAL } from '../tenancy/index.ts'
import { WITH_TOUCHED } from './touched.ts'

/**
 * Notes that the entries of every report that reads what was changed are behind. Those of inactive tenants are not warmed again,
 * nor those that read it only through a view, before the view was refreshed. In order, so that drainers do not lock each other out.
 */
export async function noteDirtyEntries(tx: Queryable, changes: string): Promise<void> {
  await tx.query(
    `${WITH_TOUCHED}, dirty as (
       select reader as report, entry.tenant, min(changed_at) as changed_at, bool_or(is_direct and entry.is_active) as rewarms
       from touched join source_reader using (source)
       cross join lateral (
         select touched.tenant::text, exists (select from tenant where id = touched.tenant and is_active)
         union all
         select $2, true where merges_tenants
       ) as entry (tenant, is_active)
       where kind = 'report'
       group by 1, 2
       order by 1, 2
     )
     insert into dirty_entry as known (report, tenant, change, changed_at, rewarms)
     select report, tenant, nextval('dirty_entry_number'), changed_at, rewarms from dirty
     on conflict (report, tenant) do update set
       change = excluded.change,
       changed_at = case when known.is_moved then excluded.changed_at else least(known.changed_at, excluded.changed_at) end,
       is_moved = false,
       moving_until = null,
       rewarms = known.rewarms or excluded.rewarms`,
    [changes, GLOBAL],
  )
}
