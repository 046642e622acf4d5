-- The first instant of a day in a time zone. Where the clock is set back at midnight, midnight comes twice, and
-- `at time zone` means the second one.
create function start_of_day(day date, timezone text)
returns timestamptz language sql stable parallel safe as $$
  select case
    when (midnight - interval '1 hour') at time zone timezone >= day then midnight - interval '1 hour'
    else midnight
  end
  from (select day::timestamp at time zone timezone as midnight) there
$$;
