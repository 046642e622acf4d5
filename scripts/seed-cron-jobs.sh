#!/usr/bin/env bash
# Makes the tables and the cron jobs that do not exist yet; what exists stays as it is.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
exec node backend/cli/prewarm.mjs migrate "$@"
