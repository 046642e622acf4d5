#!/usr/bin/env bash
# Installs the packages when they are missing or other than package-lock.json says.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v node >/dev/null; then
  echo 'Node.js is missing: install version 20.19 or later.' >&2
  exit 1
fi
node -e '
  const [major, minor] = process.versions.node.split(".").map(Number)
  if (major < 20 || (major === 20 && minor < 19)) {
    console.error(`Node.js ${process.versions.node} is too old: install 20.19 or later.`)
    process.exit(1)
  }'

stamp=node_modules/.prewarm-installed
if ! cmp -s package-lock.json "$stamp"; then
  echo 'Installing packages…'
  npm ci --no-audit --no-fund --loglevel=error
  cp package-lock.json "$stamp"
fi
