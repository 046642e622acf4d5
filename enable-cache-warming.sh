#!/usr/bin/env bash
# From nothing to warm dashboards: installs the packages, starts what is needed, makes demo tenants, warms, serves.
#   ./enable-cache-warming.sh [--tenants N] [--rows N] [--once]     on this machine
#   ./enable-cache-warming.sh --compose [--tenants N]               in containers
set -euo pipefail
cd "$(dirname "$0")"

usage() {
  sed -n '2,4s/^# \{0,1\}//p' "$0"
}

in_containers() {
  local flags=() flag
  for flag in "$@"; do
    if [[ $flag != --compose ]]; then flags+=("$flag"); fi
  done
  docker compose build
  docker compose up --detach --wait
  docker compose exec backend prewarm demo ${flags[@]+"${flags[@]}"}
  docker compose exec backend prewarm warm --expired
  printf '\nTOKEN=%s\n' "$(docker compose exec -T backend prewarm token)"
  printf 'Serving on http://localhost:%s; "docker compose down" stops it.\n' "${PORT:-4001}"
}

case " $* " in
*" --help "* | *" -h "*)
  usage
  ;;
*" --compose "*)
  in_containers "$@"
  ;;
*)
  scripts/setup.sh
  exec node backend/cli/prewarm.mjs quickstart "$@"
  ;;
esac
