#!/usr/bin/env bash
# Runs docker-compose.yml for real: does what the documentation says to do, takes parts down
# meanwhile, and leaves nothing behind. It has a project name and ports of its own, so a Prewarm
# that runs on this machine is not disturbed.
# Needs Docker with Compose 2.20 or later, and curl.
#
# Most functions are called by name through `check`, which ShellCheck cannot see.
# shellcheck disable=SC2317
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

TENANTS=5
BUNDLES=$((2 * TENANTS + 2)) # of each tenant and of all together, with test data and without
ENTRIES=$((BUNDLES + 3 * TENANTS)) # and of each tenant its customers, their KPIs and its campaigns
PROJECT=prewarm-smoke-$$

# Port 0 takes a free one, and a new one whenever the container starts.
export PREWARM_IMAGE=$PROJECT PORT=0 REDIS_CACHE_PORT=0 POSTGRES_PORT=0
# Of characters that a URL, a shell or Compose could take for their own.
export POSTGRES_PASSWORD="p@ss/w:rd #1%41\$x"
export CRON_SECRET=$PROJECT-cron-secret MATERIALIZED_VIEWS_REFRESH_TOKEN=$PROJECT-refresh-token
unset JWT_SECRET JWT_JWKS_URL JWT_ISSUER JWT_AUDIENCE PREWARM_DOMAINS PREWARM_VIEWS LOG_LEVEL

STEP_SECONDS=300
RECOVERY_SECONDS=60

main() {
  trap take_down EXIT
  start
  demo
  database
  cache
  http
  customer_kpis
  campaigns
  writes
  log_lines
  access
  container
  restarts
  crashes
  shutdown
  leave_nothing
  summary
}

# ---- what is checked ----

start() {
  check 'the image builds' compose build
  check 'all services come up healthy' compose up --detach --wait --wait-timeout 180
  check 'prewarm migrate ran before the backend' migrated
  ((FAILED == 0)) || give_up
}

migrated() {
  local container
  container=$(compose ps --all --quiet migrate) &&
    shows '^exited 0$' -- docker inspect --format '{{.State.Status}} {{.State.ExitCode}}' "$container"
}

demo() {
  check "prewarm demo makes $TENANTS tenants" prewarm demo --tenants "$TENANTS"
  check "the database has $TENANTS tenants" shows "^$TENANTS\$" -- sql 'select count(*) from tenant'
  check 'their data is in the views' shows "^$TENANTS\$" -- \
    sql 'select count(*) from customer_kpis_cache where total_customers > 0'
  check 'prewarm warm warms them' prewarm warm
  check 'prewarm status --json prints JSON' status_is_json
  check 'prewarm doctor finds nothing wrong' prewarm doctor
  check 'prewarm token prints a bare token' shows '^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$' -- \
    prewarm token --role superadmin
  TOKEN=$(prewarm token --role superadmin)
  TENANT=$(sql 'select id from tenant order by id limit 1')
  OTHER_TENANT=$(sql 'select id from tenant order by id desc limit 1')
  KPIS="/api/customers/kpis?tenant_id=$TENANT"
  CUSTOMERS="/api/customers?tenant_id=$TENANT"
  AGGREGATE="/api/dashboard/aggregate?workspace_id=$TENANT"
  check 'the first read of each dashboard is a hit' \
    hits /api/reports/dashboard-bundle "$KPIS" "$CUSTOMERS" "$AGGREGATE"
}

hits() { # PATH...
  local path
  for path in "$@"; do hit "$path" || return 1; done
}

hit() { # PATH [PATTERN]
  shows '^HTTP/1.1 200' '^x-cache: hit' "${2:-.}" -- superadmin "$1"
}

stale() { # PATH
  shows '^HTTP/1.1 200' '^x-cache: stale' -- superadmin "$1"
}

status_is_json() {
  compose exec -T backend sh -c "prewarm status --json | node -e 'JSON.parse(fs.readFileSync(0))'"
}

database() {
  local active='^[^|]+\|cron:0 0 \* \* \*\|t\|' moment='20[0-9-]{8} [0-9:.+]+'
  check 'the warming job is active and planned' shows "${active}${moment}\$" -- \
    sql "SELECT name, schedule, is_active, next_run FROM cron_job
         WHERE function_name = 'warmDashboardBundleCache';"
  check 'it is due within 24 hours' shows "${active}[^|]*\|$moment\|([0-9]|1[0-9]|2[0-4])\$" -- \
    monitoring_query
}

monitoring_query() {
  sql "SELECT name, schedule, is_active, last_run, next_run,
         (EXTRACT(EPOCH FROM (next_run - NOW())) / 3600)::INT as hours_until_next
       FROM cron_job
       WHERE function_name = 'warmDashboardBundleCache';"
}

cache() {
  check "there are $BUNDLES dashboard bundles in Redis" has_bundles "$BUNDLES"
  check 'the global bundle has a lifetime' shows '^[1-9][0-9]*$' -- \
    redis TTL dashboard:bundle:SUPERADMIN_GLOBAL:include=true
  if command -v redis-cli >/dev/null; then
    check 'redis-cli -p PORT reaches it from here' shows '^[1-9][0-9]*$' -- \
      redis-cli -p "$(port redis-cache 6379)" TTL dashboard:bundle:SUPERADMIN_GLOBAL:include=true
  fi
}

has_bundles() { # NUMBER
  shows "^ *$1\$" -- bundles
}

bundles() {
  local keys
  keys=$(redis -e KEYS 'dashboard:bundle:*') && grep -c '^dashboard:bundle:' <<<"$keys"
}

http() {
  local post=(-X POST -H 'Content-Type: application/json' -d)

  check 'a warmed dashboard is a hit' is_hit
  check 'bust_cache asks the database' shows '^HTTP/1.1 200' '^x-cache: bypass' '"cached":false' -- \
    superadmin '/api/reports/dashboard-bundle?bust_cache=true'
  check "clear-cache drops all $ENTRIES entries" shows '^HTTP/1.1 200' "\"entries\":${ENTRIES}[,}]" -- \
    superadmin /api/reports/clear-cache "${post[@]}" '{}'
  check 'Redis has none of them' has_bundles 0
  check 'a cleared dashboard is a miss' is_miss
  check 'read again it is a hit' is_hit
  check 'twenty reads in a row are hits' shows '^20$' -- hits_of 20
  check 'cron/execute warms' shows '^HTTP/1.1 200' "\"succeeded\":${BUNDLES}[,}]" -- \
    superadmin /api/cron/execute "${post[@]}" '{"function_name": "warmDashboardBundleCache"}'
  check "the $BUNDLES entries are back" has_bundles "$BUNDLES"
  check 'last_run is of a moment ago' shows '^t$' -- \
    sql "select last_run > now() - interval '5 minutes' from cron_job
         where function_name = 'warmDashboardBundleCache'"
  check "clear-cache drops a tenant's entries" shows '^HTTP/1.1 200' '"entries":2[,}]' -- \
    superadmin /api/reports/clear-cache "${post[@]}" "{\"tenant_id\": \"$TENANT\"}"
  check 'the entries of other tenants stay' has_bundles $((BUNDLES - 2))
  check 'health names redis-cache' shows '^HTTP/1.1 200' 'redis-cache' -- api /api/system/health
}

is_hit() {
  shows '^HTTP/1.1 200' '^x-cache: hit' '"cached":true' -- superadmin /api/reports/dashboard-bundle
}

is_miss() {
  shows '^HTTP/1.1 200' '^x-cache: miss' '"cached":false' -- superadmin /api/reports/dashboard-bundle
}

hits_of() { # NUMBER
  local url more=() i
  url=$(origin)/api/reports/dashboard-bundle
  for ((i = 1; i < $1; i++)); do more+=("$url"); done
  superadmin /api/reports/dashboard-bundle "${more[@]}" | grep -ci '^x-cache: hit'
}

customer_kpis() {
  local url=/api/admin/refresh-kpis secret="Authorization: Bearer $CRON_SECRET"

  check 'a scheduler that can POST refreshes the KPIs' is_refreshed customer_kpis_cache -- \
    api $url -X POST -H "$secret"
  check 'one that can only GET does too' is_refreshed customer_kpis_cache -- api $url -H "$secret"
  check 'nobody does without the secret' shows '^HTTP/1.1 401' -- api $url -X POST
  check 'refresh_customer_kpis_cache() does it in psql' shows '^\(customer_kpis_cache,refreshed,' -- \
    sql 'SELECT refresh_customer_kpis_cache();'
  check 'the cache was updated less than an hour ago' shows '\|0$' -- \
    sql 'SELECT
           last_updated,
           extract(hour from (NOW() - last_updated)) as hours_since_update
         FROM customer_kpis_cache;'
  check 'it has a row for each tenant' shows "^$TENANTS\$" -- rows 'SELECT * FROM customer_kpis_cache;'
  check 'get_customer_kpis_cached() tells the KPIs' shows '"totalCustomers" *: *[1-9]' -- \
    sql 'SELECT get_customer_kpis_cached();'
  check 'get_customer_kpis() tells the same' shows '^t$' -- \
    sql 'SELECT get_customer_kpis()::jsonb = get_customer_kpis_cached()::jsonb;'
  check 'the view is in pg_matviews' shows '^customers\|customer_kpis_cache\|' -- \
    sql "SELECT * FROM pg_matviews WHERE matviewname = 'customer_kpis_cache';"
  check 'a plain REFRESH works' sql 'REFRESH MATERIALIZED VIEW customer_kpis_cache;'
  check 'refreshes are in system_logs' shows '^kpi_refresh_success\|' '^kpi_refresh_start\|' -- \
    sql "SELECT
           operation,
           message,
           error_details,
           created_at
         FROM public.system_logs
         WHERE operation LIKE 'kpi_refresh%'
         ORDER BY created_at DESC;"
  check 'none of them is an error' shows '^0$' -- \
    rows "SELECT * FROM system_logs WHERE operation = 'kpi_refresh_error' ORDER BY created_at DESC LIMIT 5;"
  check 'the customers are listed' shows '^HTTP/1.1 200' '"customers":' -- superadmin "$CUSTOMERS"
  check 'how long that took is in api_logs' eventually shows '^[0-9.]+\|[1-9][0-9]*$' -- \
    sql "SELECT
           AVG(response_time_ms) as avg_response_time,
           COUNT(*) as request_count
         FROM api_logs
         WHERE endpoint = '/api/customers'
         AND created_at >= NOW() - INTERVAL '24 hours';"
}

campaigns() {
  local url=/api/admin/refresh-views token="x-refresh-token: $MATERIALIZED_VIEWS_REFRESH_TOKEN"

  check 'the refresh token refreshes the views' is_refreshed mv_daily_stats mv_llm_cost -- \
    api $url -X POST -H "$token"
  check 'another one does not' shows '^HTTP/1.1 401' -- \
    api $url -X POST -H 'x-refresh-token: another-refresh-token'
  check 'GET tells how fresh they are' \
    shows '^HTTP/1.1 200' '"view_name":"mv_daily_stats"' '"age_seconds":[0-9]' -- api $url -H "$token"
  check 'get_view_freshness() does in psql' \
    shows '^mv_daily_stats\|20[^|]*\|[0-9]+$' '^mv_llm_cost\|20[^|]*\|[0-9]+$' -- sql 'SELECT * FROM get_view_freshness();'
  check 'refresh_dashboard_views() refreshes them in psql' \
    shows '^\(mv_daily_stats,refreshed,' '^\(mv_llm_cost,refreshed,' -- sql 'SELECT refresh_dashboard_views();'
  check 'psql shows the columns of a view' shows 'opt_outs' 'email_3_sends' 'unique_contacts' -- \
    sql '\d+ mv_daily_stats'
  check 'the tables and the view count the same' shows '^t$' -- \
    sql "SELECT (SELECT COUNT(*) FROM email_events WHERE event_type = 'sent' AND is_test IS NOT TRUE AND event_ts >= '2025-11-01')
              = (SELECT SUM(sends) FROM mv_daily_stats WHERE day >= '2025-11-01')"
  check 'only the view is read when it is asked' shows 'scan.* on mv_daily_stats' -- \
    sql "EXPLAIN ANALYZE
         SELECT SUM(sends) FROM mv_daily_stats
         WHERE day >= '2025-11-01' AND day <= '2025-12-07';"
}

is_refreshed() { # VIEW... -- COMMAND...
  local patterns=('^HTTP/1.1 200' '"success":true')
  while [[ $1 != -- ]]; do
    patterns+=("\"view_name\":\"$1\",\"status\":\"refreshed\"")
    shift
  done
  shows "${patterns[@]}" "$@"
}

# A dashboard over tables is computed again at once; one over a view when the view has been refreshed, and until then says that
# it is old.
writes() {
  local bundle="/api/reports/dashboard-bundle?tenant_id=$TENANT" contacts customers
  contacts=$(number totalContacts "$bundle")
  customers=$(number totalCustomers "$KPIS")
  check 'prewarm warm --expired warms what was cleared' prewarm warm --expired
  check 'the dashboards are hits' eventually hits "$bundle" "$KPIS" "$CUSTOMERS" "$AGGREGATE"
  check 'a contact is written in psql' \
    sql "insert into crm.contacts (tenant_id, first_name, last_name) values ('$TENANT', 'Ann', 'Other')"
  check 'seconds later the dashboard is a hit again, and shows him' soon hit \
    "$bundle" "\"totalContacts\" *: *$((contacts + 1))\\b"
  check 'a customer is written in psql' \
    sql "insert into customers.customers (tenant_id, customer_name, email) values ('$TENANT', 'Ann Other', 'ann@other.example')"
  check 'seconds later the KPIs say that they are old' soon stale "$KPIS"
  check 'those of other tenants do not' hit "/api/customers/kpis?tenant_id=$OTHER_TENANT"
  check 'the view is refreshed' is_refreshed customer_kpis_cache -- \
    api /api/admin/refresh-kpis -X POST -H "Authorization: Bearer $CRON_SECRET"
  check 'seconds later the KPIs are a hit again, and count him' soon hit \
    "$KPIS" "\"totalCustomers\" *: *$((customers + 1))\\b"
}

number() { # NAME PATH
  superadmin "$2" | grep -oE "\"$1\" *: *[0-9]+" | grep -oE '[0-9]+$' | head -n 1
}

soon() { # COMMAND...
  RECOVERY_SECONDS=10 eventually "$@"
}

rows() { # STATEMENT
  local found
  found=$(sql "$1") && printf '%s' "$found" | grep -c ''
}

log_lines() {
  local of_dashboard='\[dashboard-bundle\]' key='key=dashboard:bundle:'
  check 'hits are in the log' eventually shows "$of_dashboard Cache HIT $key" -- \
    compose logs backend
  check 'runs of the warming job are in the log' eventually shows warmDashboardBundleCache -- \
    compose logs backend
  check 'misses are in the log' eventually shows "$of_dashboard Cache MISS $key" -- \
    compose logs backend
}

access() {
  check 'no token is 401' shows '^HTTP/1.1 401' '"status":"error"' -- api /api/reports/dashboard-bundle
  check "another tenant is 404 to a tenant's admin" shows '^HTTP/1.1 404' 'tenant_id' -- \
    admin_of "$TENANT" "/api/reports/dashboard-bundle?tenant_id=$OTHER_TENANT"
  check 'the own tenant is not' shows '^HTTP/1.1 200' "\"tenant_id\":\"$TENANT\"" -- \
    admin_of "$TENANT" "/api/reports/dashboard-bundle?tenant_id=$TENANT"
}

container() {
  check 'the backend can be given every setting of backend/config.ts' every_setting_is_passed_on
  check 'the backend does not run as root' shows '^[1-9][0-9]*$' -- compose exec -T backend id -u
  check 'its root filesystem is read-only, even for root' shows 'Read-only file system' -- \
    compose exec -T --user root backend sh -c 'touch /x 2>&1'
  check 'only this machine reaches PostgreSQL' shows '^127\.0\.0\.1:' -- compose port postgres 5432
  check 'only this machine reaches Redis' shows '^127\.0\.0\.1:' -- compose port redis-cache 6379
}

every_setting_is_passed_on() {
  local missing
  missing=$(comm -23 <(settings) <(passed_on)) && printf '%s\n' "$missing" &&
    [[ -z $missing && $(settings) = *DATABASE_URL* ]]
}

settings() {
  grep -oE '^  [A-Z_]+:' backend/config.ts | tr -d ' :' | sort
}

passed_on() {
  compose config | grep -oE '^      [A-Z_]+:' | tr -d ' :' | sort -u
}

restarts() {
  local before
  before=$(bundles)
  check 'Redis is restarted' compose restart redis-cache
  check "it still has its $before bundles" eventually has_bundles "$before"
  check 'they are hits' eventually is_hit
  check 'the backend is restarted' compose restart backend
  check 'the token is still good' eventually is_hit
}

crashes() {
  redis_crashes
  redis_hangs
  postgres_stops
  postgres_hangs
  backend_crashes
  backend_crashes_after_a_write
  power_cut
}

redis_crashes() {
  check 'a snapshot is taken, which must not be gone back to' redis SAVE
  check 'the cache is cleared' is_cleared
  check 'Redis is killed right afterwards' compose kill redis-cache
  check 'reads are answered while it is down' is_miss
  check 'further reads are too' is_miss
  check 'the backend stays ready' shows '^HTTP/1.1 200' -- api /readyz
  check 'Redis is started again' compose start redis-cache
  check 'what was cleared has not come back with it' eventually has_bundles 0
  check 'reads are hits again' eventually is_hit
}

is_cleared() {
  shows '^HTTP/1.1 200' '"cleared":true' -- superadmin /api/reports/clear-cache -X POST -d '{}'
}

# A server that hangs keeps its connections; what it was sent meanwhile it does afterwards.
redis_hangs() {
  check 'the cache is cleared again' is_cleared
  check 'Redis hangs' compose pause redis-cache
  check 'reads are answered soon all the same' shows '^HTTP/1.1 200' -- reads_soon
  check 'Redis goes on' compose unpause redis-cache
  check 'reads are answered soon from the first on' shows '^HTTP/1.1 200' -- reads_soon
  check 'they are hits again' eventually is_hit
}

reads_soon() {
  superadmin /api/reports/dashboard-bundle --max-time 3
}

postgres_stops() {
  check 'PostgreSQL is stopped' compose stop postgres
  check 'entries are served while it is down' shows '^HTTP/1.1 200' '"cached":true' -- \
    superadmin /api/reports/dashboard-bundle
  check 'PostgreSQL is started again' compose start postgres
  check 'reports are computed again' eventually shows '^HTTP/1.1 200' '^x-cache: bypass' -- \
    superadmin '/api/reports/dashboard-bundle?bust_cache=true'
}

postgres_hangs() {
  check 'health is ok' shows '^HTTP/1.1 200' '"status":"ok"' -- api /api/system/health
  check 'PostgreSQL hangs' compose pause postgres
  check 'entries are served soon all the same' shows '^HTTP/1.1 200' '"cached":true' -- reads_soon
  check 'health soon names what is down' shows '"postgres":\{"status":"down"' -- \
    api /api/system/health --max-time 5
  check 'PostgreSQL goes on' compose unpause postgres
  check 'health is ok again' eventually shows '^HTTP/1.1 200' '"status":"ok"' -- api /api/system/health
}

backend_crashes() {
  check 'the backend is killed' kill_backend
  check 'it comes back by itself' eventually is_hit
  check 'it was restarted once' shows '^1$' -- \
    docker inspect --format '{{.RestartCount}}' "$(compose ps --quiet backend)"
}

# What was written is not forgotten with the process that was to act on it. The view waits a minute for further changes.
backend_crashes_after_a_write() {
  local sends
  sends=$(number sends "$AGGREGATE")
  check 'the campaigns are a hit' eventually hit "$AGGREGATE"
  check 'an e-mail is written in psql' \
    sql "insert into campaigns.email_events (workspace_id, contact_email, campaign_name, event_type, event_ts)
         values ('$TENANT', 'ann@other.example', 'Spring fair', 'sent', now())"
  check 'the backend is killed at once' kill_backend
  check 'when it is back the campaigns say that they are old' eventually stale "$AGGREGATE"
  check 'then they are a hit again, and count the e-mail' \
    patiently hit "$AGGREGATE" "\"sends\" *: *$((sends + 1))\\b"
}

patiently() { # COMMAND...
  RECOVERY_SECONDS=120 eventually "$@"
}

# From inside, because what `docker kill` ends stays down. Process 1 is Docker's init, which no
# signal from inside ends; the program is its child.
kill_backend() {
  # shellcheck disable=SC2016
  compose exec -T backend sh -c 'kill -9 $(cat /proc/1/task/1/children)'
}

# Afterwards Docker starts the containers in any order and does not wait for their health.
power_cut() {
  check 'everything is killed' compose kill
  check 'the backend is started' start_alone backend
  check 'then PostgreSQL and Redis' start_alone postgres redis-cache
  check 'reads are hits, of entries from before' eventually is_hit
}

start_alone() { # SERVICE...
  local service containers=()
  for service in "$@"; do containers+=("$(compose ps --all --quiet "$service")"); done
  docker start "${containers[@]}"
}

shutdown() {
  local before=$SECONDS container
  container=$(compose ps --quiet backend)
  check 'the backend stops when it is told to' compose stop backend
  check 'within 10 seconds' test $((SECONDS - before)) -le 10
  check 'with exit code 0' shows '^0$' -- docker inspect --format '{{.State.ExitCode}}' "$container"
}

leave_nothing() {
  check 'everything is taken down' take_down
  check 'no container, volume, network or image is left' nothing_left
}

nothing_left() {
  local label=label=com.docker.compose.project=$PROJECT left
  left=$(docker ps --all --quiet --filter "$label" && docker volume ls --quiet --filter "$label" &&
    docker network ls --quiet --filter "$label" && docker image ls --quiet --filter "$label") &&
    [[ -z $left ]]
}

# ---- who is asked ----

compose() {
  bounded docker compose --env-file /dev/null --file docker-compose.yml \
    --project-name "$PROJECT" "$@" </dev/null
}

prewarm() {
  compose exec -T backend prewarm "$@"
}

sql() { # STATEMENT
  compose exec -T postgres psql -U postgres -d prewarm -v ON_ERROR_STOP=1 -Atc "$1"
}

redis() {
  compose exec -T redis-cache redis-cli "$@"
}

superadmin() { # PATH [CURL_OPTION...]
  api "$@" -H "Authorization: Bearer $TOKEN"
}

admin_of() { # TENANT PATH
  local token
  token=$(prewarm token --role admin --tenant "$1") && api "$2" -H "Authorization: Bearer $token"
}

api() { # PATH [CURL_OPTION...]
  local path=$1
  shift
  curl --silent --show-error --include --globoff --noproxy '*' --max-time 20 \
    "$(origin)$path" "$@"
}

origin() {
  printf 'http://127.0.0.1:%s' "$(port backend 4001)"
}

port() { # SERVICE PORT
  local address
  address=$(compose port "$1" "$2") && printf '%s' "${address##*:}"
}

take_down() {
  compose down --volumes --remove-orphans --timeout 5
  ! docker image inspect "$PREWARM_IMAGE" >/dev/null 2>&1 || docker image rm "$PREWARM_IMAGE"
} >/dev/null 2>&1

# ---- how it is told ----

PASSED=0
FAILED=0

check() { # TITLE COMMAND...
  local title=$1 output
  shift
  if output=$("$@" 2>&1); then
    PASSED=$((PASSED + 1))
    printf 'ok      %s\n' "$title"
  else
    FAILED=$((FAILED + 1))
    printf 'not ok  %s\n' "$title"
    printf '%s\n' "$output" | tail -n 20 | cut -c 1-300 | sed 's/^/          /'
  fi
}

# The output of the command matches each of the patterns, in whatever case.
shows() { # PATTERN... -- COMMAND...
  local patterns=() pattern output
  while [[ $1 != -- ]]; do
    patterns+=("$1")
    shift
  done
  shift
  output=$("$@" | tr -d '\r')
  for pattern in "${patterns[@]}"; do
    if ! grep -Eiq -- "$pattern" <<<"$output"; then
      printf '%s\nNothing here matches %s\n' "$output" "$pattern"
      return 1
    fi
  done
}

eventually() { # COMMAND...
  local deadline=$((SECONDS + RECOVERY_SECONDS))
  until "$@" >/dev/null 2>&1; do
    if ((SECONDS >= deadline)); then
      "$@"
      return
    fi
    sleep 1
  done
}

bounded() { # COMMAND...
  if command -v timeout >/dev/null; then timeout "$STEP_SECONDS" "$@"; else "$@"; fi
}

give_up() {
  compose logs --tail 30
  take_down
  summary
}

summary() {
  trap - EXIT
  printf '\n%d passed, %d failed\n' "$PASSED" "$FAILED"
  exit $((FAILED > 0))
}

main
