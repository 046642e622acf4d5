-- With two decimals; of nothing it is 0.
create function percentage(part numeric, whole numeric)
returns numeric language sql immutable parallel safe as $$
  select case when whole > 0 then round(100 * part / whole, 2) else 0 end
$$;
