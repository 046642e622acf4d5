-- What demo data is made from. All of it is a function of the workspace, the kind of row, its number and `now`,
-- so that making it again makes the same rows.

-- An id that looks like any other (a UUID of version 3).
create function demo_id(workspace_id uuid, kind text, number bigint)
returns uuid language sql immutable parallel safe as $$
  select overlay(overlay(md5(workspace_id || kind || number) placing '3' from 13) placing '8' from 17)::uuid
$$;

-- Four dice of 32 bits.
create function demo_dice(workspace_id uuid, kind text, number bigint)
returns bigint[] language sql immutable parallel safe as $$
  select array[
    ('x' || substr(hash, 1, 8))::bit(32)::bigint, ('x' || substr(hash, 9, 8))::bit(32)::bigint,
    ('x' || substr(hash, 17, 8))::bit(32)::bigint, ('x' || substr(hash, 25, 8))::bit(32)::bigint]
  from (select md5(workspace_id || kind || number) as hash offset 0) hashed
$$;

-- An instant of the 120 days before `now`, which a die decides.
create function demo_time(die bigint, now timestamptz)
returns timestamptz language sql immutable parallel safe as $$
  select now - die / 4294967296::double precision * interval '120 days'
$$;

-- The same people and campaigns in every workspace, so that workspaces that are mixed would be noticed.
create function demo_email(number bigint)
returns text language sql immutable parallel safe as $$
  select (array['amir', 'bianca', 'carlos', 'dora', 'emil', 'fatima', 'gita', 'henrik'])[1 + number % 8]
    || '.' || (array['abbott', 'bauer', 'clark', 'diaz', 'evans', 'ferrari', 'green'])[1 + number % 7] || number
    || '@' || (array['acorn', 'beacon', 'cedar', 'dune', 'echo'])[1 + number % 5] || '.example'
$$;

create function demo_campaign(number bigint)
returns text language sql immutable parallel safe as $$
  select (array['Ohio dentists', 'Texas law firms', 'Nordic software', 'Spring fair', 'Win back'])[1 + number % 5]
$$;
