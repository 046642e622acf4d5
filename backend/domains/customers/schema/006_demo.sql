-- What demo data is made from. All of it is a function of the tenant, the kind of row, its number and `now`, so that
-- making it again makes the same rows.

-- An id that looks like any other (a UUID of version 3).
create function demo_id(tenant_id uuid, kind text, number bigint)
returns uuid language sql immutable parallel safe as $$
  select overlay(overlay(md5(tenant_id || kind || number) placing '3' from 13) placing '8' from 17)::uuid
$$;

-- Rows of one kind, the day it is at their tenant's, and four dice of 32 bits. `offset 0` has everything computed once, however
-- often it is used.
create function demo_rows(tenant_ids uuid[], kind text, per_tenant integer, now timestamptz)
returns table (
  tenant_id uuid, id uuid, number integer, today date, dice1 bigint, dice2 bigint, dice3 bigint, dice4 bigint
)
language sql stable parallel safe rows 10000 as $$
  select hashed.tenant_id, customers.demo_id(hashed.tenant_id, kind, number), number, today,
         ('x' || substr(hash, 1, 8))::bit(32)::bigint,
         ('x' || substr(hash, 9, 8))::bit(32)::bigint,
         ('x' || substr(hash, 17, 8))::bit(32)::bigint,
         ('x' || substr(hash, 25, 8))::bit(32)::bigint
  from (
    select tenant.id as tenant_id, number, (now at time zone timezone)::date as today,
           md5(tenant.id || kind || number) as hash
    from public.tenant
    cross join generate_series(1, per_tenant) number
    where id = any (tenant_ids)
    offset 0
  ) hashed
  offset 0
$$;

-- How many days ago a customer registered: from 1 to some 400, the fewer the likelier.
create function demo_age(tenant_id uuid, number bigint)
returns integer language sql immutable parallel safe as $$
  select 1 + dice % 20 * (dice / 32 % 21)
  from (select ('x' || substr(md5(tenant_id || 'age' || number), 1, 7))::bit(28)::integer as dice) thrown
$$;
