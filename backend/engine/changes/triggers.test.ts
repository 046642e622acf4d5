// What triggers note, of whatever statement.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../../test/eventually.ts'
import { gate } from '../../test/gate.ts'
import { A, B, openShop, shop, type Shop } from '../../test/shop.ts'
import { installChanges } from './index.ts'

let place: Shop
beforeAll(async () => {
  place = await openShop()
})
beforeEach(() => place.empty())
afterAll(() => place.end())

const pathOnServer = async (): Promise<string> => {
  const rows = await place.db.query<{ path: string }>(
    "select current_setting('data_directory') || '/copied' as path",
  )
  return rows[0]?.path ?? ''
}
/** How often somebody was woken by so many writes, and how often that may be in the time that they took. */
const wakenBy = async (statements: number): Promise<{ times: number; most: number }> => {
  let times = -1
  const listener = place.db.listen('prewarm_changes', () => (times += 1))
  await eventually(() => expect(times).toBe(0))
  // As if nobody had been woken for long.
  await place.sql("select setval('refresh_queue_woken', 1)")
  const start = performance.now()
  for (let i = 0; i < statements; i += 1)
    await place.sql(`insert into shop.orders values (${i}, '${A}')`)
  const most = 2 + Math.ceil((performance.now() - start) / 200)
  await eventually(() => expect(times).toBeGreaterThan(0))
  await listener.stop()
  return { times, most }
}

/** Each would catch a name that a trigger leaves unqualified. */
const LURES = `
  create table lure.caught (what text);
  create table lure.refresh_queue (source text, tenant_id uuid, operation text);
  create sequence lure.refresh_queue_woken;
  create domain lure.regclass as text;
  create function lure.compare(a text, b text) returns boolean language plpgsql as
    $$ begin insert into lure.caught values ('='); return a operator(pg_catalog.~~) b; end $$;
  create operator lure.= (leftarg = text, rightarg = text, function = lure.compare);
  create function lure.times(a double precision, b integer) returns double precision language plpgsql as
    $$ begin insert into lure.caught values ('*'); return 0; end $$;
  create operator lure.* (leftarg = double precision, rightarg = integer, function = lure.times);
  create operator lure.- (leftarg = double precision, rightarg = integer, function = lure.times);
  create function lure.more(a double precision, b bigint) returns boolean language plpgsql as
    $$ begin insert into lure.caught values ('>'); return true; end $$;
  create operator lure.> (leftarg = double precision, rightarg = bigint, function = lure.more);
  create function lure.clock_timestamp() returns timestamptz language plpgsql as
    $$ begin insert into lure.caught values ('clock'); return pg_catalog.now(); end $$;
  create function lure.date_part(what text, at timestamptz) returns double precision language plpgsql as
    $$ begin insert into lure.caught values ('date_part'); return 0; end $$;
  create function lure.pg_sequence_last_value(name pg_catalog.regclass) returns bigint language plpgsql as
    $$ begin insert into lure.caught values ('sequence'); return 0; end $$;`

describe('a statement notes each tenant that it touched, once', () => {
  test('when it inserts, updates and deletes', async () => {
    await place.sql(`insert into shop.orders select n, '${A}' from generate_series(1, 100) n`)
    expect(await place.noted()).toEqual(['shop.orders INSERT a'])
    await place.sql(`insert into shop.orders values (101, '${A}'), (102, '${B}'), (103, null)`)
    expect((await place.noted()).toSorted()).toEqual([
      'shop.orders INSERT a',
      'shop.orders INSERT b',
    ])
    await place.sql('update shop.orders set amount = 1')
    expect((await place.noted()).toSorted()).toEqual([
      'shop.orders UPDATE a',
      'shop.orders UPDATE b',
    ])
    await place.sql(`delete from shop.orders where tenant_id = '${B}'`)
    expect(await place.noted()).toEqual(['shop.orders DELETE b'])
  })

  test('when a row moves to another tenant: both of them', async () => {
    await place.sql(`insert into shop.orders values (1, '${A}')`)
    await place.noted()
    await place.sql(`update shop.orders set tenant_id = '${B}'`)
    expect((await place.noted()).toSorted()).toEqual([
      'shop.orders UPDATE a',
      'shop.orders UPDATE b',
    ])
  })

  test('when it merges, and when a foreign key deletes in another table', async () => {
    await place.sql(
      `insert into shop.orders values (1, '${A}'); insert into shop.lines values (1, '${A}')`,
    )
    await place.noted()
    await place.sql(
      `insert into shop.orders values (1, '${A}'), (2, '${B}') on conflict (id) do update set amount = 2`,
    )
    expect((await place.noted()).toSorted()).toEqual([
      'shop.orders INSERT b',
      'shop.orders UPDATE a',
    ])
    await place.sql('delete from shop.orders where id = 1')
    expect((await place.noted()).toSorted()).toEqual([
      'shop.lines DELETE a',
      'shop.orders DELETE a',
    ])
  })

  test('and one that touches none notes nothing', async () => {
    await place.sql('update shop.orders set amount = 1; delete from shop.orders')
    expect(await place.noted()).toEqual([])
  })

  test('and what is rolled back is not noted', async () => {
    await place.sql(`begin; insert into shop.orders values (1, '${A}'); rollback`)
    expect(await place.noted()).toEqual([])
  })
})

describe('all tenants are noted', () => {
  test('when a table is truncated, on whose account ever', async () => {
    await place.sql('truncate shop.orders cascade')
    expect((await place.noted()).toSorted()).toEqual([
      'shop.lines TRUNCATE',
      'shop.orders TRUNCATE',
    ])
  })
})

describe('changes are noted', () => {
  test('of a table whose name and column have to be quoted', async () => {
    await place.sql(`insert into shop."Old Orders" values ('${A}')`)
    expect(await place.noted()).toEqual(['shop.Old Orders INSERT a'])
  })

  test('of a partitioned table, through itself and through a partition', async () => {
    await place.sql(
      `insert into shop.events values ('${A}', 1); insert into shop.events_1 values ('${B}', 1)`,
    )
    expect(await place.noted()).toEqual(['shop.events INSERT a', 'shop.events INSERT b'])
  })

  test('of a partition that came later, once it is installed again', async () => {
    await place.sql('create table shop.events_2 partition of shop.events for values in (2)')
    expect(await installChanges(place.db, [shop])).toEqual(['shop.events'])
    await place.sql(`insert into shop.events_2 values ('${A}', 2)`)
    expect(await place.noted()).toEqual(['shop.events INSERT a'])
  })

  test('that a session makes which plays a replica', async () => {
    await place.sql(
      `begin; set local session_replication_role = replica; insert into shop.orders values (1, '${A}'); commit`,
    )
    expect(await place.noted()).toEqual(['shop.orders INSERT a'])
  })

  test('that COPY makes, as one statement', async () => {
    await place.sql(
      `create temporary table given as select n, '${A}'::uuid from generate_series(1, 10) n`,
    )
    const path = await pathOnServer()
    await place.sql(`copy (select n, '${A}'::uuid from generate_series(1, 10) n) to '${path}'`)
    await place.sql(`copy shop.orders (id, tenant_id) from '${path}'`)
    expect(await place.noted()).toEqual(['shop.orders INSERT a'])
  })

  test('that a role makes which may write to the source and to nothing else, whatever its search_path', async () => {
    const role = `writer_${Date.now()}`
    await place.sql(
      `create role ${role}; grant usage on schema shop to ${role}; grant insert on shop.orders to ${role}`,
    )
    await place.sql(
      `begin; set local role ${role}; set local search_path = shop; insert into orders values (1, '${A}'); commit`,
    )
    expect(await place.noted()).toEqual(['shop.orders INSERT a'])
    await place.sql(`drop owned by ${role}; drop role ${role}`)
  })
})

describe('a role that has operators, functions, types and tables of its own in front of ours', () => {
  test('has none of them used with the rights of the owner', async () => {
    const role = `intruder_${Date.now()}`
    await place.sql(`
      create role ${role};
      create schema lure authorization ${role};
      grant usage on schema shop to ${role};
      grant insert, update, delete, select on shop.orders to ${role};
      begin;
      set local role ${role};
      ${LURES}
      set local search_path = lure, shop, pg_catalog;
      insert into orders values (1, '${A}');
      update orders set amount = 1;
      delete from orders;
      commit`)
    expect(await place.sql('select * from lure.caught')).toEqual([])
    expect(await place.noted()).toEqual([
      'shop.orders INSERT a',
      'shop.orders UPDATE a',
      'shop.orders DELETE a',
    ])
    await place.sql(`drop schema lure cascade; drop owned by ${role}; drop role ${role}`)
  })

  test('cannot put our function on a table of its own, whose types would run its code as the owner', async () => {
    const role = `thief_${Date.now()}`
    const attempt = place.sql(`
      create role ${role};
      begin;
      set local role ${role};
      create temporary table own (tenant_id uuid);
      do $$
      begin
        execute 'create trigger own after insert on own referencing new table as new_rows for each statement execute function '
          || (select oid::regprocedure from pg_proc where proname like 'prewarm_note_shop_orders%');
      end
      $$;
      commit`)
    await expect(attempt).rejects.toMatchObject({ code: '42501' })
    await place.sql(`rollback; drop role if exists ${role}`)
  })
})

describe('those who wait for changes are notified', () => {
  test('by many writes a few times in a second', async () => {
    const { times, most } = await wakenBy(300)
    expect(times).toBeLessThanOrEqual(most)
  })

  test('by one writer at a time, and the others do not wait for him', async () => {
    const open = gate()
    const first = place.db.transaction(async (tx) => {
      await tx.query(`insert into shop.orders values (1, '${A}')`)
      await tx.query("select setval('refresh_queue_woken', 1)")
      await tx.query(`insert into shop.orders values (2, '${A}')`)
      await open.pass()
    })
    await open.arrived
    await place.sql("select setval('refresh_queue_woken', 1)")
    await place.sql(`insert into shop.orders values (3, '${A}')`)
    open.open()
    await first
    expect(await place.noted()).toHaveLength(3)
  })
})
