create or replace function run_view_refresh(state view_state) returns bigint language plpgsql as $$
declare
  view_id text := format('%I.%I', state.domain, state.view_name);
  is_populated boolean := (select relispopulated from pg_class where oid = to_regclass(view_id));
  row_count bigint;
  nameless bigint;
begin
  if state.definition_hash = '' then
    raise exception 'A view that it reads was rebuilt, and it could not be.';
  end if;
  -- Whole tables are sorted and counted: in memory, where the server is not that generous anyway.
  if pg_size_bytes(current_setting('work_mem')) < pg_size_bytes('64MB') then
    perform set_config('work_mem', '64MB', true);
  end if;
  -- Millions of rows are sorted by several processes, where the server has them: handing on a row costs less than it reckons.
  if current_setting('parallel_tuple_cost')::real > 0.03 then
    perform set_config('parallel_tuple_cost', '0.03', true);
  end if;
  -- What was never filled cannot be refreshed concurrently, and has no readers to wait for it.
  execute format('refresh materialized view %s %s', case when is_populated then 'concurrently' else '' end, view_id);
  execute format(
    'select count(*), count(*) filter (where %s) from %s',
    (select string_agg(format('%I is null', name), ' or ') from unnest(state.key_columns) name), view_id
  ) into row_count, nameless;
  if nameless > 0 then
    raise exception 'Its key (%) is null in % rows.', array_to_string(state.key_columns, ', '), nameless;
  end if;
  return row_count;
end
$$;
