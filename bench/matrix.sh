#!/bin/sh
# The runs of one strategy by a plain loop: a registry, and for each scenario a fresh container that builds and pushes
# into it. No memory, hits, traffic or ledgers are measured, and nothing is rolled back.
#
#   matrix.sh PLAN
#
# PLAN is what bench/shell-plan.ts writes. DOCKER is the program, DOCKER_HOST the engine, LABEL a label of every
# container. Each step is named on standard output when it begins; the builders' own output goes to PLAN/log.
set -eu
plan=$1
docker=${DOCKER:-docker}
container=

end() {
  # A container that a failure left.
  [ -z "$container" ] || "$docker" rm --force --volumes "$container" >/dev/null
  "$docker" rm --force --volumes "$registry" >/dev/null
}

echo 'registry start'
eval "set -- $(cat "$plan/registry/create")"
registry=$("$docker" create --label "$LABEL" "$@")
trap end EXIT
"$docker" cp "$plan/registry/files/." "$registry:/"
"$docker" start "$registry" >/dev/null
until curl --silent --fail --output "$plan/answer" "http://$(cat "$plan/registry/host")/v2/"; do sleep 0.05; done

for run in "$plan"/runs/*; do
  echo 'create'
  eval "set -- $(cat "$run/create")"
  container=$("$docker" create --label "$LABEL" "$@")
  echo 'files'
  "$docker" cp "$run/files/." "$container:/"
  echo 'start, build and push'
  if [ -f "$run/ready" ]; then
    "$docker" start "$container" >/dev/null
    echo 'daemon ready'
    eval "set -- $(cat "$run/ready")"
    until "$docker" exec "$@" >/dev/null 2>&1; do sleep 0.05; done
    echo 'start, build and push'
    for command in "$run"/commands/*; do
      eval "set -- $(cat "$command")"
      case $command in
        *.may-fail) "$docker" exec "$@" >>"$plan/log" 2>&1 || : ;;
        *) "$docker" exec "$@" >>"$plan/log" 2>&1 ;;
      esac
    done
  else
    "$docker" start --attach "$container" >>"$plan/log" 2>&1
  fi
  echo 'remove'
  "$docker" rm --force --volumes "$container" >/dev/null
  container=
  echo 'size'
  "$docker" exec "$registry" du -sk /var/lib/registry/docker/registry/v2/blobs >>"$plan/sizes"
done
echo 'registry removal'
