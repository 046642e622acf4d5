-- What demo data is made from. All of it is a function of the tenant, the kind of row, its number and `now`,
-- so that making it again makes the same rows.

-- An id that looks like any other (a UUID of version 3).
create function demo_id(tenant_id uuid, kind text, number bigint)
returns uuid language sql immutable parallel safe as $$
  select overlay(overlay(md5(tenant_id || kind || number) placing '3' from 13) placing '8' from 17)::uuid
$$;

-- Rows of one kind with the columns that all tables share, and four dice of 32 bits for the others. One row in ten
-- is test data, one in seven is assigned to nobody, one in fourteen has no business date. `offset 0` has everything
-- computed once, however often it is used.
create function demo_rows(tenant_ids uuid[], kind text, per_tenant integer, now timestamptz)
returns table (
  tenant_id uuid, id uuid, assigned_to uuid, assigned_to_team uuid,
  is_test_data boolean, created_date timestamptz, created_at timestamptz,
  dice1 bigint, dice2 bigint, dice3 bigint, dice4 bigint
)
language sql immutable parallel safe rows 10000 as $$
  select tenant, crm.demo_id(tenant, kind, number),
         case when dice1 % 7 < 5 then crm.demo_id(tenant, 'user', dice2 % 9) end,
         case when dice1 % 7 < 6 then crm.demo_id(tenant, 'team', 1 + dice2 % 3) end,
         (array[true, null, false])[least(1 + dice1 % 10, 3)],
         case when dice1 / 256 % 14 > 0 then born - dice3 % 50 * interval '1 hour' end,
         born,
         dice1, dice2, dice3, dice4
  from (
    select *, now - dice4 / 4294967296::double precision * interval '120 days' as born
    from (
      select tenant, number,
             ('x' || substr(hash, 1, 8))::bit(32)::bigint as dice1,
             ('x' || substr(hash, 9, 8))::bit(32)::bigint as dice2,
             ('x' || substr(hash, 17, 8))::bit(32)::bigint as dice3,
             ('x' || substr(hash, 25, 8))::bit(32)::bigint as dice4
      from (
        select tenant, number, md5(tenant || kind || number) as hash
        from unnest(tenant_ids) tenant
        cross join generate_series(1, per_tenant) number
        offset 0
      ) hashed
      offset 0
    ) thrown
    offset 0
  ) dated
  offset 0
$$;
