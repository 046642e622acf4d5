#!/usr/bin/env bash
# A dashboard of your own: makes a folder with a table, one report, a warming job and demo data that work as they are.
#   scripts/new-domain.sh NAME [FOLDER]     NAME in lower case; FOLDER is backend/domains/NAME unless given
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

name=${1:-}
folder=${2:-$root/backend/domains/$name}
if [[ ! $name =~ ^[a-z][a-z0-9_]*$ ]]; then
  sed -n '3s/^# *//p' "$0" >&2
  exit 2
fi
if [[ -e $folder ]]; then
  echo "$folder exists already." >&2
  exit 1
fi
mkdir -p "$folder"/{schema,reports,demo}

# Inside the tree the contract is imported, so that the compiler checks the names; outside it is a plain value.
case $folder in
"$root"/backend/domains/*)
  head="import { defineDomain } from '../../engine/domain.ts'

export const $name = defineDomain({"
  tail='})'
  ;;
*)
  head="export const $name = {"
  tail='}'
  echo '{ "type": "module" }' >"$folder/package.json"
  ;;
esac

function_name=warm$(sed -E 's/(^|_)([a-z0-9])/\U\2/g' <<<"$name")Totals

cat >"$folder/index.ts" <<EOF
$head
  name: '$name',
  folder: import.meta.dirname,
  sources: { records: { tenantColumn: 'tenant_id' } },
  // For a report that is slow, a view: one select in views/days.sql that reads $name.records.
  // views: {
  //   days: {
  //     uniqueBy: ['tenant_id', 'day'],
  //     reads: ['records'],
  //     refresh: [{ onChange: true, debounceSeconds: 30 }],
  //     targetLagSeconds: 600,
  //   },
  // },
  reports: {
    totals: {
      title: 'Totals of $name',
      reads: ['records'],
      alias: '${name//_/-}-totals',
      changesAt: 'never',
    },
  },
  jobs: { $function_name: { warm: 'totals', tenants: 'all' } },
  schedules: [{ name: 'Warm $name', at: 'daily', run: '$function_name' }],
  demo: { rowsPerTenant: 100 },
$tail
EOF

cat >"$folder/schema/001_records.sql" <<'EOF'
create table records (
  tenant_id uuid not null references public.tenant (id) on delete cascade,
  id        bigint not null,
  amount    numeric not null,
  primary key (tenant_id, id)
);
EOF

cat >"$folder/reports/totals.sql" <<EOF
-- One row per tenant, also for a tenant without any record.
select asked.tenant_id,
       json_build_object('records', count(records.id), 'amount', coalesce(sum(records.amount), 0)) as data
from unnest(:'tenant_ids'::uuid[]) as asked (tenant_id)
left join $name.records on records.tenant_id = asked.tenant_id
group by asked.tenant_id
EOF

cat >"$folder/demo/01_records.sql" <<EOF
insert into $name.records (tenant_id, id, amount)
select tenant_id, id, id * 10
from unnest(:'tenant_ids'::uuid[]) as asked (tenant_id)
cross join generate_series(1, :'rows'::int) as id
on conflict do nothing
EOF

cat <<EOF
$folder is ready. Next:
EOF
if [[ $folder == "$root"/backend/domains/* ]]; then
  echo "  add it to backend/domains/index.ts:"
  echo "    import { $name } from './$name/index.ts'        and       [..., $name]"
else
  echo "  export PREWARM_DOMAINS=$folder"
fi
cat <<EOF
  npx prewarm migrate
  npx prewarm demo        # only to try it: gives the demo tenants data
  curl "http://localhost:4001/api/reports/$name/totals?tenant_id=…" -H "Authorization: Bearer \$TOKEN"
EOF
