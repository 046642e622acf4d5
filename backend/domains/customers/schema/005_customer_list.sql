-- One pattern for each word of a search, in which %, _ and \ stand for themselves.
create function word_patterns(search text) returns text[] language sql immutable parallel safe as $$
  select array(
    select '%' || regexp_replace(word, '([\\%_])', '\\\1', 'g') || '%'
    from regexp_split_to_table(lower(search), '\s+') word
    where word <> ''
  )
$$;

-- Whether a customer is found: every word is somewhere in his name, code, e-mail or number; or else the search is a
-- telephone number of four digits or more, however it is spelled. Without a search everybody is.
create function is_found(customer customers.customers, search text)
returns boolean language sql immutable parallel safe as $$
  select lower(customer.customer_name || ' ' || customer.customer_code || ' ' || coalesce(customer.email, '')
               || ' ' || coalesce(customer.contact_number, ''))
           like all (customers.word_patterns(search))
      or (search ~ '^[-0-9 ()+./]+$'
          and length(regexp_replace(search, '[^0-9]', '', 'g')) >= 4
          and strpos(customer.normalized_phone, right(regexp_replace(search, '[^0-9]', '', 'g'), 9)) > 0)
$$;

-- Whether a customer is in the list that was asked for. Every filter is text, and empty where it was not asked for.
create function is_listed(
  customer customers.customers, search text, is_active text, registered_from text, registered_to text,
  visited_from text, visited_to text, contact_method text
) returns boolean language sql stable parallel safe as $$
  select (search = '' or customers.is_found(customer, search))
     and (is_active = '' or customer.is_active = (is_active = 'true'))
     and (registered_from = '' or customer.customer_create_date >= registered_from::date)
     and (registered_to = '' or customer.customer_create_date <= registered_to::date)
     and (visited_from = '' or customer.last_visit_date >= visited_from::date)
     and (visited_to = '' or customer.last_visit_date <= visited_to::date)
     and (contact_method = '' or customer.preferred_contact_method = contact_method)
$$;
