// Entries that are behind are computed again before anybody asks for them; but one that was, rests for a while, so that a tenant
// that is written all the time is not computed all the time.
import type { Clock } from '../clock.ts'
import type { Queryable } from '../db/index.ts'
import type { InstalledReport, Reports } from '../reports/index.ts'
import { GLOBAL } from '../tenancy/index.ts'
import { columnsOf, type DirtyEntry } from './dirty-entry.ts'

export type RewarmParts = {
  db: Queryable
  reports: Pick<Reports, 'catalog' | 'warm'>
  clock: Clock
  /** How long an entry rests at least when it was computed; with 0 none rests. */
  rewarmMs: number
}

/** Entries that are computed together. The one of all tenants merged is computed alone: the others must not wait for it. */
type Group = { report: InstalledReport; rows: DirtyEntry[] }

const BATCH_ENTRIES = 500
/** Renewed as long as the work goes on: after this time another instance does what one that died had claimed. */
const CLAIM_MS = 10_000
const RENEWALS_PER_CLAIM = 3
// An entry that takes long rests long, so that no more than a tenth of the time is spent on it.
const REST_PER_WORK = 9

/** Returns how many entries it renewed, of those that are due and that nobody else is renewing. */
export async function rewarmBatch(parts: RewarmParts, signal: AbortSignal): Promise<number> {
  const claimed = await claim(parts)
  const groups = groupsOf(parts, claimed)
  const renewal = setInterval(() => {
    hold(parts, claimed).catch(() => undefined)
  }, CLAIM_MS / RENEWALS_PER_CLAIM)
  try {
    while (groups.length > 0) {
      await renew(parts, groups[0], signal)
      groups.shift()
    }
  } finally {
    clearInterval(renewal)
    const undone = groups.flatMap(({ rows }) => rows)
    if (undone.length > 0) await giveBack(parts, undone)
  }
  return claimed.length
}

function claim({ db, reports, clock }: RewarmParts): Promise<DirtyEntry[]> {
  return db.query<DirtyEntry>(
    `with chosen as (
       select report, tenant from dirty_entry
       where is_moved and rewarms and report = any ($4)
         and (claimed_until is null or claimed_until <= $1)
         and (rests_until is null or rests_until <= $1)
       order by changed_at
       limit $3
       for update skip locked
     )
     update dirty_entry set claimed_until = $2
     from chosen
     where dirty_entry.report = chosen.report and dirty_entry.tenant = chosen.tenant
     returning dirty_entry.report, dirty_entry.tenant, change`,
    [
      clock(),
      new Date(clock().getTime() + CLAIM_MS),
      BATCH_ENTRIES,
      reports.catalog.all.map(({ id }) => id),
    ],
  )
}

/** Only what is not done yet. */
async function hold({ db, clock }: RewarmParts, rows: readonly DirtyEntry[]): Promise<void> {
  await db.query(
    `update dirty_entry set claimed_until = $3
     from unnest($1::text[], $2::text[]) as held (report, tenant)
     where dirty_entry.report = held.report and dirty_entry.tenant = held.tenant and claimed_until is not null`,
    [
      rows.map(({ report }) => report),
      rows.map(({ tenant }) => tenant),
      new Date(clock().getTime() + CLAIM_MS),
    ],
  )
}

function groupsOf({ reports }: RewarmParts, claimed: readonly DirtyEntry[]): Group[] {
  const group = (isMerged: boolean): Group[] =>
    reports.catalog.all.map((report) => ({
      report,
      rows: claimed.filter(
        (row) => row.report === report.id && (row.tenant === GLOBAL) === isMerged,
      ),
    }))
  return [...group(false), ...group(true)].filter(({ rows }) => rows.length > 0)
}

// A tenant whose report fails is not tried again and again; it is when its data changes, or when it is read.
async function renew(
  parts: RewarmParts,
  group: Group | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (!group) return
  const { report, rows } = group
  const tenantIds = rows.map(({ tenant }) => tenant)
  const { elapsedMs } = await parts.reports.warm(report, { tenantIds, signal })
  const restMs = parts.rewarmMs && Math.max(parts.rewarmMs, elapsedMs * REST_PER_WORK)
  await finish(parts, rows, new Date(parts.clock().getTime() + restMs))
}

async function finish(
  { db }: RewarmParts,
  rows: readonly DirtyEntry[],
  restsUntil: Date,
): Promise<void> {
  await db.query(
    `update dirty_entry set rewarms = dirty_entry.change <> done.change, claimed_until = null, rests_until = $4
     from unnest($1::text[], $2::text[], $3::bigint[]) as done (report, tenant, change)
     where dirty_entry.report = done.report and dirty_entry.tenant = done.tenant`,
    [...columnsOf(rows), restsUntil],
  )
}

async function giveBack({ db, clock }: RewarmParts, rows: readonly DirtyEntry[]): Promise<void> {
  await db.query(
    `update dirty_entry set claimed_until = $3
     from unnest($1::text[], $2::text[]) as undone (report, tenant)
     where dirty_entry.report = undone.report and dirty_entry.tenant = undone.tenant`,
    [rows.map(({ report }) => report), rows.map(({ tenant }) => tenant), clock()],
  )
}

/** Forgets what is warm and rested. */
export async function forgetRested({
  db,
  clock,
}: Pick<RewarmParts, 'db' | 'clock'>): Promise<void> {
  await db.query(
    'delete from dirty_entry where is_moved and not rewarms and (rests_until is null or rests_until <= $1)',
    [clock()],
  )
}
