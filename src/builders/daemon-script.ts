/**
 * A shell script that starts a daemon of the job with the script's own words. On cgroup version 1 the daemon must be told
 * its own cgroup, or its RUN steps would escape the job's limits: `onVersion1` does that, with the path in `$cgroup`.
 * Version 2 nests by itself, once the container's processes have left the root of their group.
 */
export function daemonScript(program: string, onVersion1: string): string {
  return `set -eu
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
  mkdir -p /sys/fs/cgroup/init
  xargs -rn1 < /sys/fs/cgroup/cgroup.procs > /sys/fs/cgroup/init/cgroup.procs 2>/dev/null || :
  sed -e 's/ / +/g' -e 's/^/+/' < /sys/fs/cgroup/cgroup.controllers > /sys/fs/cgroup/cgroup.subtree_control || :
else
  cgroup="$(sed -n 's/.*:memory://p' /proc/self/cgroup)"
  ${onVersion1}
fi
exec ${program} "$@"`;
}
