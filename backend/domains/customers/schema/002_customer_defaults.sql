-- A customer without a code is given his tenant's next one, and without a date of registration the day it is at the
-- tenant's, which may be another than the server's.

create table customer_counter (
  tenant_id   uuid primary key references public.tenant (id) on delete cascade,
  last_number bigint not null
);

-- It waits for other transactions that number customers of the same tenant: codes have no gaps but for rollbacks. Whoever
-- loads many customers at once gives the codes himself; counting goes on after the highest, and over any that are taken.
create function next_customer_code(of_tenant uuid) returns text language plpgsql as $$
declare
  number bigint;
  code text;
begin
  loop
    update customers.customer_counter set last_number = last_number + 1
    where tenant_id = of_tenant
    returning last_number into number;

    if found then
      code := 'CUS-' || lpad(number::text, greatest(3, length(number::text)), '0');
      if not exists (
        select from customers.customers where tenant_id = of_tenant and customer_code = code
      ) then
        return code;
      end if;
    else
      insert into customers.customer_counter (tenant_id, last_number)
      select of_tenant, coalesce(max(substr(customer_code, 5)::bigint), 0)
      from customers.customers
      where tenant_id = of_tenant and customer_code ~ '^CUS-[0-9]{1,16}$'
      on conflict do nothing;
    end if;
  end loop;
end
$$;

create function customer_defaults() returns trigger language plpgsql as $$
begin
  new.customer_code := coalesce(nullif(new.customer_code, ''), customers.next_customer_code(new.tenant_id));
  new.customer_create_date := coalesce(
    new.customer_create_date,
    (select (now() at time zone timezone)::date from public.tenant where id = new.tenant_id),
    current_date
  );
  return new;
end
$$;

create trigger customer_defaults before insert on customers
for each row
when (new.customer_code is null or new.customer_code = '' or new.customer_create_date is null)
execute function customer_defaults();
