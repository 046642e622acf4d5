#!/usr/bin/env bash
# Everything a change must pass. `scripts/check.sh quick` leaves out the tests.
set -euo pipefail
cd "$(dirname "$0")/.."

steps=(format types lint borders unused)
if [[ ${1:-} != quick ]]; then steps+=(tests); fi

out=$(mktemp)
trap 'rm -f "$out"' EXIT
for step in "${steps[@]}"; do
  printf '\n▸ %s\n' "$step"
  npm run --silent "check:$step" | tee "$out"
  # Without a TypeScript parser dependency-cruiser reads nothing and passes.
  if grep -q '(0 modules' "$out"; then exit 1; fi
done
