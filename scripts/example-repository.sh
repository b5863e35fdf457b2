#!/bin/sh
# Makes a repository of the example project in the new directory DIR, with the history of its toolchain: each file in
# example/history is an earlier state of docker/toolchain.docker and, by its name, the subject of a commit.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
directory=$1
mkdir -p "$directory"
cp -R "$here/example/project/." "$directory"
toolchain=docker/toolchain.docker
cp "$directory/$toolchain" "$directory/.toolchain"
GIT_CONFIG_GLOBAL=/dev/null
GIT_AUTHOR_NAME='Ada Keeper' GIT_AUTHOR_EMAIL=ada@lantern.example
GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL
export GIT_CONFIG_GLOBAL GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL
git -C "$directory" init -q -b main
day=0
commit() {
  day=$((day + 1))
  GIT_AUTHOR_DATE="2026-05-0${day}T10:00:00+0000" GIT_COMMITTER_DATE="2026-05-0${day}T10:00:00+0000"
  export GIT_AUTHOR_DATE GIT_COMMITTER_DATE
  git -C "$directory" add -A -- . ':!.toolchain'
  git -C "$directory" commit -q -m "$1"
}
for state in "$here"/example/history/*.docker; do
  cp "$state" "$directory/$toolchain"
  subject=$(basename "$state" .docker | sed -e 's/^[0-9]*-//' -e 's/-/ /g' -e 's/^./\U&/' -e 's/ ci$/ CI/')
  commit "$subject"
done
mv "$directory/.toolchain" "$directory/$toolchain"
commit 'Take the larger compilers'
