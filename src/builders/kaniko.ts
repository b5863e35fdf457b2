import type { Job, JobResult, Phases } from "../domain/job.ts";
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
const FILE = "it only writes a file of the job";
const TRIAL = "the trial has registries of its own";
const RETRY = "a trial does not retry";

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
  "--digest-file": drop(FILE),
  "--image-name-with-digest-file": drop(FILE),
  "--image-name-tag-with-digest-file": drop(FILE),
  "--log-format": drop("Tare reads the log in one format"),
  "--log-timestamp": drop("Tare reads the log in one format"),
  "--verbosity": drop("Tare reads the log in one format"),
  "-v": drop("Tare reads the log in one format"),
  "--image-download-retry": drop(RETRY),
  "--image-fs-extract-retry": drop(RETRY),
  "--push-retry": drop(RETRY),
  "--insecure": drop(TRIAL),
  "--insecure-pull": drop(TRIAL),
  "--insecure-registry": drop(TRIAL),
  "--registry-map": drop(TRIAL),
  "--registry-mirror": drop(TRIAL),
  "--skip-default-registry-fallback": drop(TRIAL),
  "--skip-push-permission-check": drop(TRIAL),
  "--skip-tls-verify": drop(TRIAL),
  "--skip-tls-verify-pull": drop(TRIAL),
  "--skip-tls-verify-registry": drop(TRIAL),
  "--cache-dir": drop("the trial has no warmed directory of base images"),
  "--context-sub-path": refuse("Tare reads the context from the tree"),
  "--credential-helpers": refuse(HOST),
  "--git": refuse(HOST),
  "--kaniko-dir": refuse(HOST),
  "--no-push": refuse("nothing is stored then"),
  "--no-push-cache": refuse("nothing is cached then"),
  "--oci-layout-path": refuse("it writes the image beside the registry"),
  "--registry-certificate": refuse(HOST),
  "--registry-client-cert": refuse(HOST),
  "--secret": refuse("it hands a secret to the build"),
  "--tar-path": refuse("it writes the image beside the registry"),
  "--tarPath": refuse("it writes the image beside the registry"),
};

/** kaniko's executor: one process that builds and pushes. It needs no privileges. */
export const kaniko: Builder = {
  id: "kaniko",
  privileges: "none",
  job,
  phases,
};

function job(run: BuildRun): { job: Job; dropped: DroppedFlag[] } {
  refuseRemoteContext(run.recipe);
  const { kept, dropped } = allowFlags(run.recipe, RULES);
  const buildArgs = buildArguments(run.recipe);
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
    ...(run.baseHost === null
      ? []
      : [`--registry-map=index.docker.io=${run.baseHost}`, `--insecure-registry=${run.baseHost}`]),
    "--log-format=text",
  ];
  return {
    dropped: [...dropped, ...buildArgs.dropped],
    job: {
      name: run.name,
      image: run.image,
      main: argv,
      ready: null,
      commands: [],
      environment: featureFlags(run),
      workingDirectory: "/workspace",
      files: run.files,
      volumes: [run.projectDirectory],
      privileges: "none",
      limits: run.limits,
    },
  };
}

/** Feature flags of kaniko that the template sets; other variables of a pipeline stay outside. */
function featureFlags(run: BuildRun): Record<string, string> {
  return Object.fromEntries(
    Object.entries(run.recipe.environment).filter(([key]) => key.startsWith("FF_KANIKO_")),
  );
}

/** kaniko says when it starts to push the image itself; pushes to the cache happen during the build. */
function phases(run: BuildRun, result: JobResult): Phases {
  const endMs = result.commands[0]?.endMs ?? 0;
  const pushing = result.log.find((entry) =>
    run.images.some(
      (image) =>
        entry.line.endsWith(`Pushing image to ${image}`) || entry.line.includes(`Pushing image to ${image} `),
    ),
  );
  if (pushing === undefined) return { buildMs: "unknown", pushMs: "unknown", totalMs: endMs };
  return { buildMs: pushing.atMs, pushMs: endMs - pushing.atMs, totalMs: endMs };
}
