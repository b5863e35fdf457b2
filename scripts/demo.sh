#!/bin/sh
# Puts the example project into a repository of its own (.tare/lantern) and answers the patch mail to it. The
# repository stays, so that the command at the end of the answer repeats it.
set -eu
cd "$(dirname "$0")/.."
work=.tare/lantern
rm -rf "$work"
mkdir -p "$work"
cp -R example/project/. "$work"
GIT_CONFIG_GLOBAL=/dev/null
GIT_AUTHOR_NAME='Ada Keeper' GIT_AUTHOR_EMAIL=ada@lantern.example GIT_AUTHOR_DATE='2026-05-04T10:00:00+0000'
GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL GIT_COMMITTER_DATE=$GIT_AUTHOR_DATE
export GIT_CONFIG_GLOBAL GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_AUTHOR_DATE
export GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL GIT_COMMITTER_DATE
git -C "$work" init -q -b main
git -C "$work" add -A
git -C "$work" commit -q -m 'Containers for CI'
node src/main.ts trial --patch example/replace-docker-with-kaniko.eml --repo "$work" --trust \
  --format mail --report report.json "$@"
echo "tare: the same as data: report.json" >&2
