#!/bin/sh
# Runs a program of the checkout, or says what must come before.
set -eu
if [ ! -x node_modules/.bin/node ]; then
  echo "The checkout is not set up: \`npm ci\` brings Node.js 24 and the tools, \`npm test\` and \`npm run demo\` do it by themselves." >&2
  exit 2
fi
exec "$@"
