import type { Queryable } from '../db/index.ts'

// Spread around the clock, with zones of half and quarter hours among them.
const ZONES = [
  'America/Los_Angeles',
  'America/New_York',
  'America/Sao_Paulo',
  'Atlantic/Azores',
  'Europe/London',
  'Europe/Berlin',
  'Africa/Nairobi',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Asia/Tokyo',
  'Australia/Adelaide',
  'Pacific/Auckland',
]

const FIRST = [
  'Northern',
  'Blue',
  'Summit',
  'Harbor',
  'Golden',
  'Silver',
  'Cedar',
  'Bright',
  'Stone',
  'Clear',
]
const SECOND = [
  'Logistics',
  'Foods',
  'Robotics',
  'Textiles',
  'Energy',
  'Media',
  'Clinics',
  'Tools',
  'Travel',
  'Labs',
  'Grain',
]

/** Makes those of the demo tenants `from` to `to` (counted from 1) that do not exist, and returns their ids. The n-th is always the same. */
export async function createDemoTenants(
  db: Queryable,
  { from, to, now }: { from: number; to: number; now: Date },
): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    `insert into tenant (id, name, slug, timezone, last_seen_at)
     select md5('prewarm demo tenant ' || n)::uuid,
            ($3::text[])[1 + n % $4] || ' ' || ($5::text[])[1 + n % $6] || ' ' || n,
            'demo-' || n,
            ($7::text[])[1 + n % $8],
            $9::timestamptz - make_interval(mins => n * 7 % 10080)
     from generate_series($1::int, $2::int) as n
     on conflict do nothing
     returning id`,
    [from, to, FIRST, FIRST.length, SECOND, SECOND.length, ZONES, ZONES.length, now],
  )
  return rows.map((row) => row.id)
}

/** The ids of those of the demo tenants `from` to `to` that exist. */
export async function findDemoTenants(
  db: Queryable,
  { from, to }: { from: number; to: number },
): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    `select id from tenant
     where id in (select md5('prewarm demo tenant ' || n)::uuid from generate_series($1::int, $2::int) as n)`,
    [from, to],
  )
  return rows.map((row) => row.id)
}
