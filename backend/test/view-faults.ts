// What can be wrong with a view, each with a stall of the market's own.
import { expect } from 'vitest'
import { holdOpen } from './hold-open.ts'
import type { Market } from './market.ts'

export type Fault = {
  stall: string
  what: string
  error: RegExp
  /** Resolves with what mends it. */
  begin(world: Market, tenant: string): Promise<() => Promise<unknown>>
}

async function killAgainAndAgain(world: Market, stall: string): Promise<() => Promise<void>> {
  const open = await world.closeGate(stall)
  const kill = `
    select pg_terminate_backend(pid) from pg_locks
    where locktype = 'advisory' and not granted and objid = hashtext($1)::oid
      and database = (select oid from pg_database where datname = current_database())`
  const timer = setInterval(() => void world.db.query(kill, [stall]).catch(() => undefined), 50)
  return async () => {
    clearInterval(timer)
    await open()
  }
}

export const FAULTS: readonly Fault[] = [
  {
    stall: 'rated',
    what: 'its SQL calls what reads a column that was dropped',
    error: /column "factor" does not exist/,
    begin: async ({ sql }) => {
      await sql('alter table market.rates drop column factor')
      return () => sql('alter table market.rates add column factor numeric not null default 1')
    },
  },
  {
    stall: 'cut',
    what: 'a column that it reads was dropped, and the view with it',
    error: /cannot be made: column "item" does not exist/,
    begin: async ({ sql }, tenant) => {
      const drop = 'alter table market.cut drop column item'
      await expect(sql(drop)).rejects.toThrow('other objects depend on it')
      await sql(`${drop} cascade`)
      await sql(`insert into market.cut values ('${tenant}', 7)`)
      return () =>
        sql(`alter table market.cut add column item text;
             update market.cut set item = amount::text;
             alter table market.cut alter column item set not null`)
    },
  },
  {
    stall: 'twice',
    what: 'its unique index is missing, and it holds two rows of one key',
    error: /duplicate|could not create unique index/,
    begin: async ({ sql }, tenant) => {
      await sql('drop index market.mv_twice_key')
      await sql(`insert into market.twice values ('${tenant}', 'a', 0)`)
      await sql('refresh materialized view market.mv_twice')
      return () => sql('delete from market.twice where amount = 0')
    },
  },
  {
    stall: 'locked',
    what: 'another session has locked it',
    error: /lock timeout/,
    begin: ({ db }) =>
      holdOpen(db, (tx) => tx.query('refresh materialized view concurrently market.mv_locked')),
  },
  {
    stall: 'killed',
    what: 'its connection is killed half-way each time',
    error: /terminat/,
    begin: (world) => killAgainAndAgain(world, 'killed'),
  },
  {
    stall: 'stuffed',
    what: 'the disk is full',
    error: /No space left/,
    begin: async (world) => {
      await world.trouble('stuffed', 'full disk')
      return () => world.trouble('stuffed', null)
    },
  },
]
