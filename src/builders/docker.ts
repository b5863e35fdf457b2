import type { Job, JobResult, Phases } from "../domain/job.ts";
import { Problem } from "../domain/problem.ts";
import {
  allowFlags,
  buildArguments,
  drop,
  keep,
  own,
  refuse,
  refuseRemoteContext,
  type FlagRule,
} from "./flags.ts";
import type { Builder, BuildRun, DroppedFlag } from "./types.ts";

const HOST = "it reaches for the host or the network of the machine that builds";
const SECRET = "it hands a secret to the build";
const SHOWN = "it changes only what is printed";

/** Flags of `docker build` (Docker 26, docs.docker.com/reference/cli/docker/buildx/build). */
const RULES: Readonly<Record<string, FlagRule>> = {
  "--tag": own,
  "-t": own,
  "--file": own,
  "-f": own,
  "--cache-from": own,
  "--cache-to": own,
  "--build-arg": own,
  "--target": own,
  "--no-cache": keep,
  "--pull": keep,
  "--rm": keep,
  "--force-rm": keep,
  "--provenance": keep,
  "--sbom": keep,
  "--platform": keep,
  "--label": keep,
  "--annotation": keep,
  "--attest": keep,
  "--shm-size": keep,
  "--ulimit": keep,
  "--progress": drop(SHOWN),
  "--quiet": drop(SHOWN),
  "-q": drop(SHOWN),
  "--debug": drop(SHOWN),
  "-D": drop(SHOWN),
  "--iidfile": drop("it only writes a file of the job"),
  "--metadata-file": drop("it only writes a file of the job"),
  "--network": drop("every build of a trial uses the network of its job"),
  "--memory": drop("the limits of the job stand in for it"),
  "-m": drop("the limits of the job stand in for it"),
  "--memory-swap": drop("the limits of the job stand in for it"),
  "--cpu-period": drop("the limits of the job stand in for it"),
  "--cpu-quota": drop("the limits of the job stand in for it"),
  "--cpu-shares": drop("the limits of the job stand in for it"),
  "-c": drop("the limits of the job stand in for it"),
  "--cpuset-cpus": drop("the limits of the job stand in for it"),
  "--cpuset-mems": drop("the limits of the job stand in for it"),
  "--add-host": refuse(HOST),
  "--allow": refuse(HOST),
  "--build-context": refuse(HOST),
  "--builder": refuse(HOST),
  "--cgroup-parent": refuse(HOST),
  "--isolation": refuse(HOST),
  "--output": refuse("the image is not pushed then"),
  "-o": refuse("the image is not pushed then"),
  "--privileged": refuse(HOST),
  "--secret": refuse(SECRET),
  "--security-opt": refuse(HOST),
  "--squash": refuse("it needs an experimental daemon"),
  "--ssh": refuse(SECRET),
  "--volume": refuse(HOST),
  "-v": refuse(HOST),
};

const SOCKET = "unix:///var/run/docker.sock";

/**
 * Starts the daemon of the job. On cgroup version 1 it must be told its own cgroup, or its RUN steps would escape
 * the job's limits; version 2 nests by itself, once the container's processes have left the root of their group.
 */
const DAEMON = `set -eu
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
  mkdir -p /sys/fs/cgroup/init
  xargs -rn1 < /sys/fs/cgroup/cgroup.procs > /sys/fs/cgroup/init/cgroup.procs 2>/dev/null || :
  sed -e 's/ / +/g' -e 's/^/+/' < /sys/fs/cgroup/cgroup.controllers > /sys/fs/cgroup/cgroup.subtree_control || :
else
  set -- "$@" --cgroup-parent "$(sed -n 's/.*:memory://p' /proc/self/cgroup)"
fi
exec dockerd "$@"`;

/** `docker build` and `docker push` against a daemon of the job's own (docker:dind). */
export const docker: Builder = {
  id: "docker",
  privileges: "daemon",
  job,
  phases,
};

function job(run: BuildRun): { job: Job; dropped: DroppedFlag[] } {
  refuseRemoteContext(run.recipe);
  const { kept, dropped } = allowFlags(run.recipe, RULES);
  const buildArgs = buildArguments(run.recipe);
  const build = [
    "docker",
    "build",
    "--progress=plain",
    // The job has no bridge of its own: RUN steps use the job's network.
    "--network=host",
    ...kept,
    ...run.images.flatMap((image) => ["--tag", image]),
    ...run.cacheFrom.flatMap((reference) => ["--cache-from", reference]),
    ...buildArgs.flags,
    ...(run.recipe.target === null ? [] : ["--target", run.recipe.target]),
    "--file",
    run.dockerfile,
    run.context ?? run.projectDirectory,
  ];
  const workingDirectory = run.projectDirectory;
  return {
    dropped: [...dropped, ...buildArgs.dropped],
    job: {
      name: run.name,
      image: run.image,
      main: ["sh", "-c", DAEMON, "sh", ...daemonFlags(run)],
      ready: ["docker", "version"],
      commands: [
        { phase: "build", argv: build, workingDirectory },
        ...run.images.map((image) => ({
          phase: "push" as const,
          argv: ["docker", "push", image],
          workingDirectory,
        })),
      ],
      environment: {
        DOCKER_HOST: SOCKET,
        DOCKER_TLS_CERTDIR: "",
        ...buildkitSettings(run),
      },
      workingDirectory: "/",
      files: run.files,
      volumes: ["/var/lib/docker", "/var/lib/containerd", "/run", run.projectDirectory],
      privileges: "daemon",
      limits: run.limits,
    },
  };
}

/** Settings of BuildKit that the template makes; the legacy builder is another program. */
function buildkitSettings(run: BuildRun): Record<string, string> {
  const { environment, file, line, job: name } = run.recipe;
  if (environment["DOCKER_BUILDKIT"] === "0") {
    throw new Problem(
      "strategy-unsupported",
      `${file}:${line} (job ${name}): DOCKER_BUILDKIT=0 asks for the legacy builder, which Tare does not run.`,
      "Leave this image out with --images.",
    );
  }
  return Object.fromEntries(Object.entries(environment).filter(([key]) => key.startsWith("BUILDKIT_")));
}

function daemonFlags(run: BuildRun): string[] {
  const base = run.baseHost;
  return [
    `--host=${SOCKET}`,
    "--bridge=none",
    "--iptables=false",
    "--ip6tables=false",
    `--insecure-registry=${run.registryHost}`,
    ...(base === null ? [] : [`--insecure-registry=${base}`, `--registry-mirror=http://${base}`]),
  ];
}

function phases(_run: BuildRun, result: JobResult): Phases {
  const spent = (phase: string) => {
    const commands = result.commands.filter((command) => command.phase === phase);
    if (commands.length === 0) return "unknown" as const;
    return commands.reduce((total, command) => total + command.endMs - command.startMs, 0);
  };
  const totalMs = result.commands.reduce((total, command) => total + command.endMs - command.startMs, 0);
  return { buildMs: spent("build"), pushMs: spent("push"), totalMs };
}
