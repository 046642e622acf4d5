// A shop whose tables are tracked, and what was noted of them.
import { installChanges } from '../engine/changes/index.ts'
import type { Db } from '../engine/db/index.ts'
import type { Domain, Source } from '../engine/domain.ts'
import { testDatabase } from './database.ts'

export const [A, B] = ['a', 'b'].map((letter) => `${letter.repeat(8)}-0000-4000-8000-000000000000`)

export const byTenant = { tenantColumn: 'tenant_id' }

export const shopWith = (sources: Record<string, Source>): Domain => ({
  name: 'shop',
  folder: import.meta.dirname,
  sources,
  reports: {},
  jobs: {},
  schedules: [],
})

export const shop = shopWith({
  orders: byTenant,
  lines: byTenant,
  events: byTenant,
  old: { table: 'shop.Old Orders', tenantColumn: 'workspace_id' },
})

/** The shop without some of its sources. */
export function shopWithout(...names: string[]): Domain {
  const left = Object.entries(shop.sources).filter(([name]) => !names.includes(name))
  return shopWith(Object.fromEntries(left))
}

export type Shop = {
  db: Db
  sql: (text: string) => Promise<unknown[]>
  /** What was noted since the last time, as `source operation tenant`. */
  noted: () => Promise<string[]>
  triggersOn: (table: string) => Promise<number>
  empty: () => Promise<void>
  end: () => Promise<void>
}

export async function openShop(): Promise<Shop> {
  const { db, drop } = await testDatabase()
  await db.query(SCHEMA)
  await installChanges(db, [shop])
  return {
    db,
    sql: (text) => db.query(text),
    noted: () => takeNotes(db),
    triggersOn: (table) => countTriggers(db, table),
    empty: async () => {
      await db.query('truncate shop.orders, shop.lines')
      await db.query('truncate refresh_queue')
    },
    end: drop,
  }
}

const SCHEMA = `
  create schema shop;
  create table shop.orders (id integer primary key, tenant_id uuid, amount integer not null default 0);
  create table shop.lines (order_id integer references shop.orders on delete cascade, tenant_id uuid);
  create table shop.events (tenant_id uuid, month integer) partition by list (month);
  create table shop.events_1 partition of shop.events for values in (1);
  create table shop."Old Orders" (workspace_id uuid)`

async function takeNotes(db: Db): Promise<string[]> {
  const rows = await db.query<{ note: string }>(
    `with taken as (delete from refresh_queue returning *)
     select concat_ws(' ', source, operation, left(tenant_id::text, 1)) as note from taken order by changed_at`,
  )
  return rows.map(({ note }) => note)
}

async function countTriggers(db: Db, table: string): Promise<number> {
  const rows = await db.query<{ count: number }>(
    `select count(*)::integer as count from pg_trigger where tgrelid = $1::regclass and tgname like 'prewarm%'`,
    [table],
  )
  return rows[0]?.count ?? 0
}
