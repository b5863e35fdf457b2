import { textFile, type Job, type JobCommand, type JobFile } from "../domain/job.ts";
import type { Recipe } from "../domain/recipe.ts";
import { adaptor, notInRegistry, type Decide } from "./adapt.ts";
import { RULES } from "./buildah-flags.ts";
import { commandPhases } from "./command-phases.ts";
import { authFile } from "./credentials.ts";
import { allowFlags, buildArguments, refuseRemoteContext } from "./flags.ts";
import type { Builder, BuildRun, DroppedFlag } from "./types.ts";

const REGISTRIES = "/etc/tare/registries.conf";
const LOGINS = "/etc/tare/auth.json";
const STORAGE = "/etc/tare/storage.conf";
const SETTINGS = "/etc/tare/containers.conf";

/**
 * There is no daemon: the container waits while the commands are run in it. As root buildah raises the limits of each RUN
 * to 1048576, which fails where the machine's own are lower and cannot be raised: it is told those.
 */
const WAIT = `set -eu
limits=
for pair in "nofile:Max open files" "nproc:Max processes"; do
  most="$(sed -n "s/^\${pair#*:}  *[^ ]*  *\\([0-9][0-9]*\\) .*/\\1/p" /proc/self/limits)"
  [ -z "$most" ] || limits="$limits'\${pair%%:*}=$most:$most', "
done
printf '[containers]\\ndefault_ulimits = [%s]\\n' "$limits" > ${SETTINGS}
exec sleep infinity`;

/** `buildah build` and `buildah push`, which `podman build` and `podman push` are as well. It has no daemon. */
export const buildah: Builder = {
  id: "buildah",
  privileges: "mounts",
  needs: "to mount file systems: CAP_SYS_ADMIN and no seccomp filter",
  job,
  phases: (_run, result) => commandPhases(result),
  adapt: adaptor("buildah", "buildah build", true, decide),
};

function job(run: BuildRun): { job: Job; dropped: DroppedFlag[] } {
  refuseRemoteContext(run.recipe);
  const { kept, dropped } = allowFlags(run.recipe, RULES);
  const buildArgs = buildArguments(run);
  return {
    dropped: [...dropped, ...buildArgs.dropped],
    job: {
      name: run.name,
      image: run.image,
      main: ["sh", "-c", WAIT],
      ready: ["test", "-s", SETTINGS],
      commands: commandsOf(run, kept, buildArgs.flags),
      environment: {
        ...settings(run.recipe),
        CONTAINERS_CONF_OVERRIDE: SETTINGS,
        CONTAINERS_REGISTRIES_CONF: REGISTRIES,
        CONTAINERS_STORAGE_CONF: STORAGE,
        ...(run.credentials === null ? {} : { REGISTRY_AUTH_FILE: LOGINS }),
      },
      workingDirectory: "/",
      files: [...run.files, registries(run), storage(), ...authFile(run.credentials, LOGINS)],
      volumes: ["/var/lib/containers", "/var/tmp", "/run", run.projectDirectory],
      privileges: "mounts",
      limits: run.limits,
    },
  };
}

function commandsOf(run: BuildRun, kept: readonly string[], buildArgs: readonly string[]): JobCommand[] {
  const { recipe } = run;
  const step = (phase: JobCommand["phase"], argv: string[], mayFail = false) => ({
    phase,
    argv,
    workingDirectory: run.projectDirectory,
    mayFail,
  });
  const build = [
    "buildah",
    "build",
    "--isolation=chroot",
    ...(layersByDefault(recipe) ? ["--layers"] : []),
    ...kept,
    ...run.images.flatMap((image) => ["--tag", image]),
    ...run.cacheFrom.flatMap((reference) => ["--cache-from", reference]),
    ...run.cacheTo.flatMap((reference) => ["--cache-to", reference]),
    ...buildArgs,
    ...(recipe.target === null ? [] : ["--target", recipe.target]),
    "--file",
    run.dockerfile,
    run.context ?? run.projectDirectory,
  ];
  return [
    ...run.pulls.map((reference) => step("pull", ["buildah", "pull", reference], true)),
    step("build", build),
    ...run.images.map((image) => step("push", ["buildah", "push", image])),
  ];
}

/** podman keeps layers unless it is told otherwise; buildah does not. */
function layersByDefault({ program, flags }: Recipe): boolean {
  return program.startsWith("podman ") && !flags.some((flag) => /^--layers(?:=|$)/.test(flag));
}

/** Settings of buildah that the template makes and that change what it stores. */
function settings({ environment }: Recipe): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => /^BUILDAH_(?:FORMAT|LAYERS)$/.test(name)),
  );
}

/** The trial's registry speaks HTTP; others have their mirrors. */
function registries({ registryHost, mirrors }: BuildRun): JobFile {
  const mirrored = mirrors.map(
    ({ registry, host, insecure }) => `
[[registry]]
location = "${registry}"
[[registry.mirror]]
location = "${host}"
${insecure ? "insecure = true\n" : ""}`,
  );
  const text = `unqualified-search-registries = ["docker.io"]
short-name-mode = "permissive"

[[registry]]
location = "${registryHost}"
insecure = true
${mirrored.join("")}`;
  return textFile(REGISTRIES, text);
}

/** Overlay of the kernel's own: the job may mount. */
function storage(): JobFile {
  const text = [
    "[storage]",
    'driver = "overlay"',
    'runroot = "/run/containers/storage"',
    'graphroot = "/var/lib/containers/storage"',
    "",
  ].join("\n");
  return textFile(STORAGE, text);
}

function decide(...[entry, names]: Parameters<Decide>): ReturnType<Decide> {
  switch (entry.kind) {
    case "nothing":
      return {};
    case "a tag per instruction":
      return {
        flags: ["--layers"],
        cacheFrom: [...names.moreSources, names.repository],
        cacheTo: [names.repository],
        cacheToOptions: [{}],
      };
    case "in the image":
      return "buildah writes no inline cache";
    case "one manifest":
      return "buildah writes no cache of one manifest";
    case "outside the registry":
      return notInRegistry(entry.where);
    default:
      return entry satisfies never;
  }
}
