import type { Job, JobCommand, JobResult, Phases } from "../domain/job.ts";
import type { Recipe } from "../domain/recipe.ts";
import { adaptor, notInRegistry, type Decide } from "./adapt.ts";
import { cacheExports } from "./cache-options.ts";
import { buildkitPhases, commandPhases } from "./command-phases.ts";
import { authFile } from "./credentials.ts";
import { daemonScript } from "./daemon-script.ts";
import { RULES } from "./docker-flags.ts";
import { pushesImage } from "./exporter-options.ts";
import { allowFlags, buildArguments, flagValues, hasSwitch, refuseRemoteContext } from "./flags.ts";
import type { Builder, BuildRun, DroppedFlag } from "./types.ts";

const SOCKET = "unix:///var/run/docker.sock";
const CLIENT = "/root/.docker";
const DOCKER_IO = "docker.io";
const DAEMON = daemonScript("dockerd", 'set -- "$@" --cgroup-parent "$cgroup"');

/** `docker build` and `docker push` against a daemon of the job's own (docker:dind). */
export const docker: Builder = {
  id: "docker",
  privileges: "daemon",
  needs: "a daemon in the job: a privileged runner",
  job,
  phases,
  adapt: adaptor("docker", "docker build", true, decide),
};

function job(run: BuildRun): { job: Job; dropped: DroppedFlag[] } {
  refuseRemoteContext(run.recipe);
  const { kept, dropped } = allowFlags(run.recipe, RULES);
  const buildArgs = buildArguments(run);
  return {
    dropped: [...dropped, ...buildArgs.dropped, ...droppedMirrors(run)],
    job: {
      name: run.name,
      image: run.image,
      main: ["sh", "-c", DAEMON, "sh", ...daemonFlags(run)],
      ready: ["docker", "version"],
      commands: commandsOf(run, kept, buildArgs.flags),
      environment: {
        DOCKER_HOST: SOCKET,
        DOCKER_TLS_CERTDIR: "",
        DOCKER_CONFIG: CLIENT,
        ...buildkitSettings(run.recipe),
      },
      workingDirectory: "/",
      files: [...run.files, ...authFile(run.credentials, `${CLIENT}/config.json`)],
      volumes: ["/var/lib/docker", "/var/lib/containerd", "/run", run.projectDirectory],
      privileges: "daemon",
      limits: run.limits,
    },
  };
}

function commandsOf(run: BuildRun, kept: readonly string[], buildArgs: readonly string[]): JobCommand[] {
  const workingDirectory = run.projectDirectory;
  const whole = pushesItself(run.recipe);
  const step = (phase: JobCommand["phase"], argv: string[], mayFail = false) => ({
    phase,
    argv,
    workingDirectory,
    mayFail,
  });
  return [
    // A template pulls what may not be there yet: `docker pull … || true`.
    ...run.pulls.map((reference) => step("pull", ["docker", "pull", reference], true)),
    step(whole ? "build and push" : "build", buildArgv(run, kept, buildArgs)),
    ...(whole ? [] : run.images.map((image) => step("push", ["docker", "push", image]))),
  ];
}

function buildArgv(run: BuildRun, kept: readonly string[], buildArgs: readonly string[]): string[] {
  const { recipe } = run;
  const legacy = isLegacy(recipe);
  const asked = recipe.buildArgs["BUILDKIT_INLINE_CACHE"] === "1";
  const exports = cacheExports(recipe, run.cacheTo, run.images).filter(
    // The build argument asks for it already.
    (text) => !(text === "type=inline" && asked),
  );
  return [
    ...(recipe.program.startsWith("docker buildx ") ? ["docker", "buildx", "build"] : ["docker", "build"]),
    // The older builder has one way to print.
    ...(legacy ? [] : ["--progress=plain"]),
    // The job has no bridge of its own: RUN steps use the job's network.
    "--network=host",
    ...kept,
    ...(pushesItself(recipe) && hasSwitch(recipe, "--push") ? ["--push"] : []),
    ...run.images.flatMap((image) => ["--tag", image]),
    ...run.cacheFrom.flatMap((reference) => ["--cache-from", reference]),
    ...(legacy ? [] : exports.flatMap((text) => ["--cache-to", text])),
    ...buildArgs,
    ...(recipe.target === null ? [] : ["--target", recipe.target]),
    "--file",
    run.dockerfile,
    run.context ?? run.projectDirectory,
  ];
}

/** Whether the build command pushes the image as well. */
function pushesItself(recipe: Recipe): boolean {
  return hasSwitch(recipe, "--push") || flagValues(recipe, "--output").some(pushesImage);
}

/** The builder of Docker before 23, which DOCKER_BUILDKIT=0 still selects; `docker buildx` never runs it. */
function isLegacy({ environment, program }: Recipe): boolean {
  return environment["DOCKER_BUILDKIT"] === "0" && !program.startsWith("docker buildx ");
}

/** Settings of BuildKit that the template makes, and the choice of the older builder. */
function buildkitSettings(recipe: Recipe): Record<string, string> {
  const entries = Object.entries(recipe.environment).filter(
    ([key]) => key.startsWith("BUILDKIT_") || key === "BUILDX_NO_DEFAULT_ATTESTATIONS",
  );
  return { ...Object.fromEntries(entries), ...(isLegacy(recipe) ? { DOCKER_BUILDKIT: "0" } : {}) };
}

function daemonFlags(run: BuildRun): string[] {
  return [
    `--host=${SOCKET}`,
    "--bridge=none",
    "--iptables=false",
    "--ip6tables=false",
    `--insecure-registry=${run.registryHost}`,
    ...run.mirrors
      .filter(({ registry }) => registry === DOCKER_IO)
      .flatMap(({ host, insecure }) =>
        insecure
          ? [`--insecure-registry=${host}`, `--registry-mirror=http://${host}`]
          : [`--registry-mirror=https://${host}`],
      ),
  ];
}

function droppedMirrors({ mirrors }: BuildRun): DroppedFlag[] {
  return mirrors
    .filter(({ registry }) => registry !== DOCKER_IO)
    .map(({ registry }) => ({
      flag: `the mirror of ${registry}`,
      why: "dockerd has mirrors for docker.io alone",
    }));
}

function phases(run: BuildRun, result: JobResult): Phases {
  return pushesItself(run.recipe) ? buildkitPhases(result) : commandPhases(result);
}

function decide(...[entry, names]: Parameters<Decide>): ReturnType<Decide> {
  switch (entry.kind) {
    case "nothing":
      return {};
    case "in the image":
      return {
        buildArgs: { BUILDKIT_INLINE_CACHE: "1" },
        cacheFrom: [...names.moreSources, names.image],
        cacheTo: [names.image],
        cacheToOptions: [{}],
      };
    case "one manifest":
      return {
        cacheFrom: [...names.moreSources, names.reference],
        cacheTo: [names.reference],
        cacheToOptions: [{ mode: entry.mode }],
      };
    case "a tag per instruction":
      return "docker keeps no tag for each instruction";
    case "outside the registry":
      return notInRegistry(entry.where);
    default:
      return entry satisfies never;
  }
}
