#!/usr/bin/env bash
# Everything, from nothing: packages, a Redis to test against, then all checks and tests. Arguments go to vitest.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh

if ! command -v redis-server >/dev/null && ! command -v valkey-server >/dev/null; then
  if [[ $(id -u) = 0 ]] && command -v apt-get >/dev/null; then
    echo 'Installing redis-server…'
    apt-get -qq update
    DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -qq install -y --no-install-recommends redis-server >/dev/null
  else
    echo 'The tests need a Redis: install the package redis-server (or valkey-server) so that it is on the PATH.' >&2
    exit 1
  fi
fi

if (($#)); then
  exec npm run --silent check:tests -- "$@"
fi
exec scripts/check.sh
