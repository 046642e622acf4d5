import type { Queryable } from '../db/index.ts'

/** A row of `view_state` at one moment. Every time is the database's, `now` too. */
export type ViewState = {
  name: string
  now: Date
  lastSuccessAt: Date
  /** The same to the microsecond. */
  seen: string
  requested: string
  satisfied: string
  isPending: boolean
  notBefore: Date | null
  reasons: string[]
  failures: number
  lastError: string | null
  /** Whether it is being refreshed or rebuilt now. */
  isLocked: boolean
  /** Whether it was dropped, or hangs on a view that is gone. */
  isLost: boolean
  /** Whether a new day has begun for some tenant since the last refresh, and the view follows days. */
  isNewDay: boolean
}

export async function readStates(
  db: Queryable,
  names: readonly string[],
): Promise<Map<string, ViewState>> {
  const rows = await db.query<ViewState>(
    `with zone as materialized (select distinct timezone from tenant where is_active),
     locked as materialized (select key from view_locks)
     select s.view_name as name, clock.now, s.last_success_at as "lastSuccessAt", s.last_success_at::text as seen,
            s.requested, s.satisfied, s.requested > s.satisfied as "isPending", s.not_before as "notBefore", s.reasons,
            s.consecutive_failures as failures, s.last_error as "lastError", hashtext(s.view_name)::oid in (select key from locked) as "isLocked",
            s.definition_hash = '' or to_regclass(format('%I.%I', s.domain, s.view_name)) is null as "isLost",
            s.follows_days and exists (
              select from zone
              where (s.last_success_at at time zone zone.timezone)::date <> (clock.now at time zone zone.timezone)::date
            ) as "isNewDay"
     from view_state s, clock_timestamp() clock (now)
     where s.view_name = any ($1)`,
    [names],
  )
  return new Map(rows.map((state) => [state.name, state]))
}

/** A refresh that begins after this satisfies the request, whose number is returned; undefined for a view that was never made. */
export async function request(
  db: Queryable,
  view: string,
  reason: string,
): Promise<bigint | undefined> {
  const rows = await db.query<{ requested: string }>(
    `update view_state
     set requested = requested + 1,
         pending_since = coalesce(pending_since, clock_timestamp()),
         reasons = case when $2 = any (reasons) then reasons else reasons || $2::text end,
         not_before = clock_timestamp()
     where view_name = $1
     returning requested`,
    [view, reason],
  )
  return rows[0] && BigInt(rows[0].requested)
}

/** Makes the requests that were put aside, of those views whose rows are not locked any more. */
export async function requestWhatWasPutAside(db: Queryable): Promise<void> {
  await db.query(
    `with free as (
       select s.view_name from view_state s join view_request using (view_name)
       order by 1
       for no key update of s skip locked
     ), taken as (
       delete from view_request r using free where r.view_name = free.view_name
       returning r.view_name, r.asked_at, r.not_before
     )
     update view_state s set
       requested = requested + 1,
       pending_since = least(pending_since, asked_at),
       reasons = case when 'change' = any (reasons) then reasons else array_append(reasons, 'change') end,
       not_before = case when requested > satisfied then s.not_before else taken.not_before end
     from taken
     where s.view_name = taken.view_name`,
  )
}

/** Requests a view that nobody has requested or refreshed since `state` was read; so of several planners one does. */
export async function requestOnce(
  db: Queryable,
  { name, seen }: ViewState,
  reasons: readonly string[],
): Promise<void> {
  await db.query(
    `update view_state
     set requested = requested + 1, pending_since = clock_timestamp(), reasons = $3, not_before = clock_timestamp()
     where view_name = $1 and requested = satisfied and last_success_at = $2::timestamptz`,
    [name, seen, reasons],
  )
}
