#!/bin/sh
# Puts the example project into a repository of its own (.tare/lantern) and answers the patch mail to it. The
# repository stays, so that the command at the end of the answer repeats it.
set -eu
cd "$(dirname "$0")/.."
work=.tare/lantern
rm -rf "$work"
sh scripts/example-repository.sh "$work"
node src/main.ts trial --patch example/replace-docker-with-kaniko.eml --repo "$work" --trust \
  --thread example/reply.eml --format mail --report report.json "$@"
echo "tare: the same as data: report.json" >&2
