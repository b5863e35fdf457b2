import type { Job, JobResult, Phases } from "../domain/job.ts";
import type { Mirror } from "../domain/mirror.ts";
import type { Recipe } from "../domain/recipe.ts";
import { adaptor, notInRegistry, type Decide } from "./adapt.ts";
import { authFile } from "./credentials.ts";
import {
  allowFlags,
  buildArguments,
  drop,
  keep,
  own,
  refuse,
  refuseRemoteContext,
  WHY,
  type FlagRule,
} from "./flags.ts";
import type { Builder, BuildRun, DroppedFlag } from "./types.ts";

/** Where its images keep credentials, outside of what it snapshots. */
const CLIENT = "/kaniko/.docker";
const LOG = "Tare reads the log in one format";

/** Flags of kaniko's executor (README and cmd/executor/cmd/root.go of v1.24.0). */
const RULES: Readonly<Record<string, FlagRule>> = {
  "--dockerfile": own,
  "-f": own,
  "--context": own,
  "-c": own,
  "--destination": own,
  "-d": own,
  "--cache-repo": own,
  "--build-arg": own,
  "--target": own,
  "--cache": keep,
  "--cache-copy-layers": keep,
  "--cache-run-layers": keep,
  "--cache-ttl": keep,
  "--cleanup": keep,
  "--compressed-caching": keep,
  "--compression": keep,
  "--compression-level": keep,
  "--custom-platform": keep,
  "--customPlatform": keep,
  "--force": keep,
  "--ignore-path": keep,
  "--ignore-var-run": keep,
  "--label": keep,
  "--reproducible": keep,
  "--single-snapshot": keep,
  "--skip-unused-stages": keep,
  "--snapshot-mode": keep,
  "--snapshotMode": keep,
  "--use-new-run": keep,
  "--digest-file": drop(WHY.file),
  "--image-name-with-digest-file": drop(WHY.file),
  "--image-name-tag-with-digest-file": drop(WHY.file),
  "--log-format": drop(LOG),
  "--log-timestamp": drop(LOG),
  "--verbosity": drop(LOG),
  "-v": drop(LOG),
  "--image-download-retry": drop(WHY.retry),
  "--image-fs-extract-retry": drop(WHY.retry),
  "--push-retry": drop(WHY.retry),
  "--insecure": drop(WHY.registries),
  "--insecure-pull": drop(WHY.registries),
  "--insecure-registry": drop(WHY.registries),
  "--registry-map": drop(WHY.registries),
  "--registry-mirror": drop(WHY.registries),
  "--skip-default-registry-fallback": drop(WHY.registries),
  "--skip-push-permission-check": drop(WHY.registries),
  "--skip-tls-verify": drop(WHY.registries),
  "--skip-tls-verify-pull": drop(WHY.registries),
  "--skip-tls-verify-registry": drop(WHY.registries),
  "--cache-dir": drop("the trial has no warmed directory of base images"),
  "--context-sub-path": refuse("Tare reads the context from the tree"),
  "--credential-helpers": refuse(WHY.host),
  "--git": refuse(WHY.host),
  "--kaniko-dir": refuse(WHY.host),
  "--no-push": refuse("nothing is stored then"),
  "--no-push-cache": refuse("nothing is cached then"),
  "--oci-layout-path": refuse("it writes the image beside the registry"),
  "--registry-certificate": refuse(WHY.host),
  "--registry-client-cert": refuse(WHY.host),
  "--secret": refuse(WHY.secret),
  "--tar-path": refuse("it writes the image beside the registry"),
  "--tarPath": refuse("it writes the image beside the registry"),
};

/** kaniko's executor: one process that builds and pushes. It needs no privileges. */
export const kaniko: Builder = {
  id: "kaniko",
  privileges: "none",
  needs: null,
  job,
  phases,
  adapt: adaptor("kaniko", "/kaniko/executor", false, decide),
};

function job(run: BuildRun): { job: Job; dropped: DroppedFlag[] } {
  refuseRemoteContext(run.recipe);
  const { kept, dropped } = allowFlags(run.recipe, RULES);
  const buildArgs = buildArguments(run);
  const [cacheRepository] = run.cacheTo;
  const argv = [
    "/kaniko/executor",
    `--dockerfile=${run.dockerfile}`,
    ...(run.context === null ? [] : [`--context=dir://${run.context}`]),
    ...run.images.map((image) => `--destination=${image}`),
    ...kept,
    ...(cacheRepository === undefined ? [] : [`--cache-repo=${cacheRepository}`]),
    ...buildArgs.flags,
    ...(run.recipe.target === null ? [] : [`--target=${run.recipe.target}`]),
    `--insecure-registry=${run.registryHost}`,
    ...run.mirrors.flatMap(mirrorFlags),
    "--log-format=text",
  ];
  return {
    dropped: [...dropped, ...buildArgs.dropped, ...droppedPulls(run.recipe)],
    job: {
      name: run.name,
      image: run.image,
      main: argv,
      ready: null,
      commands: [],
      environment: { DOCKER_CONFIG: CLIENT, ...featureFlags(run) },
      workingDirectory: "/workspace",
      files: [...run.files, ...authFile(run.credentials, `${CLIENT}/config.json`)],
      volumes: [run.projectDirectory],
      privileges: "none",
      limits: run.limits,
    },
  };
}

/** kaniko knows docker.io by an older name; it falls back to the registry itself, as the other builders do. */
function mirrorFlags({ registry, host, insecure }: Mirror): string[] {
  const source = registry === "docker.io" ? "index.docker.io" : registry;
  return [`--registry-map=${source}=${host}`, ...(insecure ? [`--insecure-registry=${host}`] : [])];
}

/** Feature flags of kaniko that the template sets; other variables of a pipeline stay outside. */
function featureFlags(run: BuildRun): Record<string, string> {
  return Object.fromEntries(
    Object.entries(run.recipe.environment).filter(([key]) => key.startsWith("FF_KANIKO_")),
  );
}

/** Without a terminal the message stands in quotes; another image's name may start alike. */
function saysPush(line: string, image: string): boolean {
  const [, after] = line.split(`Pushing image to ${image}`);
  return after !== undefined && /^(?:$|["\s])/.test(after);
}

/** kaniko says when it starts to push the image itself; pushes to the cache happen during the build. */
function phases(run: BuildRun, result: JobResult): Phases {
  const endMs = result.commands[0]?.endMs ?? 0;
  const pushing = result.log.find(({ line }) => run.images.some((image) => saysPush(line, image)));
  if (pushing === undefined) return { buildMs: "unknown", pushMs: "unknown", totalMs: endMs };
  return { buildMs: pushing.atMs, pushMs: endMs - pushing.atMs, totalMs: endMs };
}

function droppedPulls({ pulls }: Recipe): DroppedFlag[] {
  return pulls.map((reference) => ({ flag: `pull ${reference}`, why: "kaniko has no store of images" }));
}

const VARIANT_FLAGS: Readonly<Record<string, string>> = {
  uncompressed: "--compressed-caching=false",
  redo: "--snapshot-mode=redo",
  "copy-layers": "--cache-copy-layers=true",
  reproducible: "--reproducible",
  zstd: "--compression=zstd",
};

function decide(...[entry, names, variant]: Parameters<Decide>): ReturnType<Decide> {
  const flag = VARIANT_FLAGS[variant ?? ""];
  const more = flag === undefined ? [] : [flag];
  switch (entry.kind) {
    case "nothing":
      return { flags: more };
    case "a tag per instruction":
      if (names.moreSources.length > 0) return "kaniko reads from one cache repository alone";
      return {
        flags: ["--cache=true", `--cache-repo=${names.repository}`, ...more],
        cacheFrom: [names.repository],
        cacheTo: [names.repository],
        cacheToOptions: [{}],
      };
    case "in the image":
      return "kaniko writes no inline cache";
    case "one manifest":
      return "kaniko writes no cache of one manifest";
    case "outside the registry":
      return notInRegistry(entry.where);
    default:
      return entry satisfies never;
  }
}
