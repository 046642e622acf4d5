-- The customers of a shop with memberships, their packages and their sales. The indexes are made for the KPIs and for the
-- customer list: each holds what is counted for one tenant, so that counting hardly touches the rows themselves.

create table customers (
  tenant_id                uuid not null references public.tenant (id) on delete cascade,
  id                       uuid not null default gen_random_uuid(),
  customer_code            varchar(20) not null, -- CUS-001, CUS-002, … in each tenant, unless given
  customer_name            varchar(255) not null,
  contact_number           varchar(20),
  email                    varchar(255),
  address                  text,
  date_of_birth            date,
  notes                    text,
  total_lifetime_value     numeric(12, 2) not null default 0,
  total_visits             integer not null default 0,
  last_visit_date          date,
  -- The same number in its national and its international spelling is found by its last nine digits.
  normalized_phone         text generated always as
                             (nullif(right(regexp_replace(contact_number, '[^0-9]', '', 'g'), 9), '')) stored,
  customer_profiles        jsonb not null default '[]',
  preferred_contact_method text check (preferred_contact_method in ('Phone', 'LINE', 'Email')),
  stable_hash_id           text,
  customer_create_date     date not null, -- the tenant's own day, unless given
  is_active                boolean not null default true,
  created_at               timestamptz not null default now(),
  updated_at               timestamptz not null default now(),
  search_vector            tsvector generated always as
                             (to_tsvector('simple', customer_name || ' ' || customer_code || ' ' || coalesce(email, '')
                                                    || ' ' || coalesce(contact_number, ''))) stored,
  primary key (tenant_id, id),
  unique (tenant_id, customer_code),
  constraint customers_can_be_reached check (coalesce(contact_number, '') <> '' or coalesce(email, '') <> '')
);

create index customers_counted on customers (tenant_id, id)
  include (customer_create_date, last_visit_date, total_lifetime_value) where is_active;
create index customers_by_name on customers (tenant_id, lower(customer_name) collate "C", id);

create table package_types (
  tenant_id      uuid not null references public.tenant (id) on delete cascade,
  id             uuid not null default gen_random_uuid(),
  name           text not null,
  duration_hours numeric,
  price          numeric(12, 2),
  is_active      boolean not null default true,
  primary key (tenant_id, id)
);

create table packages (
  tenant_id       uuid not null references public.tenant (id) on delete cascade,
  id              uuid not null default gen_random_uuid(),
  customer_id     uuid, -- null: sold to somebody who is not a customer yet
  customer_name   text,
  package_type_id uuid,
  purchase_date   date not null,
  first_use_date  date,
  expiration_date date, -- the last day on which it can be used; null: it does not expire
  employee_name   text,
  created_at      timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, customer_id) references customers (tenant_id, id) on delete set null (customer_id),
  foreign key (tenant_id, package_type_id) references package_types (tenant_id, id)
);

create index packages_of_customer on packages (tenant_id, customer_id) include (purchase_date, expiration_date);

create table package_usage (
  tenant_id  uuid not null references public.tenant (id) on delete cascade,
  id         uuid not null default gen_random_uuid(),
  package_id uuid not null,
  used_hours numeric not null,
  used_date  date not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, package_id) references packages (tenant_id, id) on delete cascade
);

create index package_usage_of_package on package_usage (tenant_id, package_id);

-- Filled by the point of sale's ETL, which may know of a sale before it knows of the customer; so nothing is referenced.
create table sales (
  tenant_id        uuid not null references public.tenant (id) on delete cascade,
  id               uuid not null default gen_random_uuid(),
  date             date not null,
  receipt_number   text not null,
  customer_id      uuid, -- null: a customer who passed by
  customer_name    text,
  product_name     text,
  product_category text,
  item_cnt         integer not null default 1,
  sales_total      numeric(12, 2),
  sales_net        numeric(12, 2) not null,
  gross_profit     numeric(12, 2),
  is_voided        boolean not null default false,
  payment_method   text,
  sales_timestamp  timestamptz,
  primary key (tenant_id, id)
);

create index sales_by_date on sales (tenant_id, date) include (customer_id) where not is_voided and customer_id is not null;
create index sales_of_customer on sales (tenant_id, customer_id, date) include (receipt_number, sales_net)
  where not is_voided;
