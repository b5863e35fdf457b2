#!/bin/sh
# Everything that the demo and the tests need, from a fresh clone on. Does nothing where it was done before.
set -eu
cd "$(dirname "$0")/.."
stamp=node_modules/.tare-lock
if [ ! -x node_modules/.bin/node ] || ! cmp -s package-lock.json "$stamp"; then
  echo "tare: installing npm packages" >&2
  npm ci --no-fund --no-audit --loglevel=error
  cp package-lock.json "$stamp"
fi
PATH="$PWD/node_modules/.bin:$PATH"
export PATH
exec node src/main.ts setup >&2
