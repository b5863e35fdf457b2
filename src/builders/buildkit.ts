import { posix } from "node:path";
import { textFile, type Job, type JobFile } from "../domain/job.ts";
import type { Recipe } from "../domain/recipe.ts";
import { adaptor, notInRegistry, type Decide } from "./adapt.ts";
import { BUILDCTL_RULES, BUILDX_RULES, defaultProvenance } from "./buildkit-flags.ts";
import { cacheExports } from "./cache-options.ts";
import { buildkitPhases } from "./command-phases.ts";
import { authFile } from "./credentials.ts";
import { daemonScript } from "./daemon-script.ts";
import { annotationOption, csvField, exporterOptions } from "./exporter-options.ts";
import { allowFlags, buildArguments, flagValues, refuseRemoteContext } from "./flags.ts";
import type { Builder, BuildRun, DroppedFlag } from "./types.ts";

const CONFIGURATION = "/etc/tare/buildkitd.toml";
/** Where buildctl, the client, looks for credentials: the daemon asks it for them. */
const CLIENT = "/root/.docker";
const SOCKET = "unix:///run/buildkit/buildkitd.sock";

const DAEMON = daemonScript(
  "buildkitd",
  `printf '[worker.oci]\\n  defaultCgroupParent = "%s"\\n' "$cgroup" >> ${CONFIGURATION}`,
);

/** `buildctl build` against a BuildKit of the job's own: what a buildx instance in a container runs as well. */
export const buildkit: Builder = {
  id: "buildkit",
  privileges: "daemon",
  needs: "a daemon in the job: a privileged runner",
  job,
  phases: (_run, result) => buildkitPhases(result),
  adapt: adaptor("buildkit", "buildctl build", true, decide),
};

function job(run: BuildRun): { job: Job; dropped: DroppedFlag[] } {
  refuseRemoteContext(run.recipe);
  const isBuildx = run.recipe.program !== "buildctl build";
  const { kept, dropped } = allowFlags(run.recipe, isBuildx ? BUILDX_RULES : BUILDCTL_RULES);
  const buildArgs = buildArguments(run);
  const options = [
    `filename=${posix.basename(run.dockerfile)}`,
    ...(run.recipe.target === null ? [] : [`target=${run.recipe.target}`]),
    ...buildArgs.pairs.map((pair) => `build-arg:${pair}`),
  ];
  const argv = [
    "buildctl",
    `--addr=${SOCKET}`,
    "build",
    "--progress=plain",
    "--frontend=dockerfile.v0",
    "--local",
    `context=${run.context ?? run.projectDirectory}`,
    "--local",
    `dockerfile=${posix.dirname(run.dockerfile)}`,
    ...options.flatMap((option) => ["--opt", option]),
    ...kept,
    ...(isBuildx ? defaultProvenance(run.recipe) : []),
    "--output",
    outputOf(run),
    ...cacheExports(run.recipe, run.cacheTo, run.images).flatMap((text) => ["--export-cache", text]),
    ...run.cacheFrom.flatMap((reference) => ["--import-cache", `type=registry,ref=${reference}`]),
  ];
  return {
    dropped: [...dropped, ...buildArgs.dropped, ...droppedPulls(run.recipe)],
    job: {
      name: run.name,
      image: run.image,
      main: [
        "sh",
        "-c",
        DAEMON,
        "sh",
        `--config=${CONFIGURATION}`,
        `--addr=${SOCKET}`,
        // RUN steps use the job's network; nothing of a cache is thrown away while it is measured.
        "--oci-worker-net=host",
        "--oci-worker-gc=false",
        "--containerd-worker=false",
      ],
      ready: ["buildctl", `--addr=${SOCKET}`, "debug", "workers"],
      commands: [{ phase: "build and push", argv, workingDirectory: run.projectDirectory, mayFail: false }],
      environment: { DOCKER_CONFIG: CLIENT },
      workingDirectory: "/",
      files: [...run.files, configuration(run), ...authFile(run.credentials, `${CLIENT}/config.json`)],
      volumes: ["/var/lib/buildkit", "/run", run.projectDirectory],
      privileges: "daemon",
      limits: run.limits,
    },
  };
}

/** The image's names and what changes its bytes; the image is pushed as it is exported. */
function outputOf({ images, recipe }: BuildRun): string {
  const outputs = [...flagValues(recipe, "--output"), ...flagValues(recipe, "--exporter-opt")];
  const annotations = flagValues(recipe, "--annotation").flatMap((value) => annotationOption(value) ?? []);
  return [
    "type=image",
    csvField(`name=${images.join(",")}`),
    "push=true",
    "registry.insecure=true",
    ...exporterOptions(outputs).map(csvField),
    ...annotations.map(csvField),
  ].join(",");
}

/** BuildKit's own settings: mirrors, and the registries that speak HTTP. A registry has one table, even where it is both. */
function configuration({ registryHost, mirrors }: BuildRun): JobFile {
  const tables = new Map<string, string[]>();
  const add = (host: string, line: string) => {
    const lines = tables.get(host) ?? [];
    tables.set(host, lines.includes(line) ? lines : [...lines, line]);
  };
  for (const { registry, host } of mirrors) add(registry, `  mirrors = ["${host}"]`);
  for (const host of [registryHost, ...mirrors.filter(({ insecure }) => insecure).map(({ host }) => host)])
    add(host, "  http = true");
  const text = [...tables].flatMap(([host, lines]) => [`[registry."${host}"]`, ...lines]);
  return textFile(CONFIGURATION, [...text, ""].join("\n"));
}

function droppedPulls({ pulls }: Recipe): DroppedFlag[] {
  return pulls.map((reference) => ({
    flag: `docker pull ${reference}`,
    why: "BuildKit does not see the images of the engine beside it",
  }));
}

/** zstd in image and cache alike: without force, layers that are there as gzip stay so. */
const ZSTD = { compression: "zstd", "force-compression": "true" };

function decide(...[entry, names, variant]: Parameters<Decide>): ReturnType<Decide> {
  const zstd: Record<string, string> = variant === "zstd" ? ZSTD : {};
  const output = ["type=image", ...Object.entries(zstd).map(([name, value]) => `${name}=${value}`)].join(",");
  const flags = variant === "zstd" ? [`--output=${output}`] : [];
  switch (entry.kind) {
    case "nothing":
      return { flags };
    case "in the image":
      return {
        flags,
        cacheFrom: [...names.moreSources, names.image],
        cacheTo: [names.image],
        cacheToOptions: [{}],
      };
    case "one manifest":
      return {
        flags,
        cacheFrom: [...names.moreSources, names.reference],
        cacheTo: [names.reference],
        cacheToOptions: [{ mode: entry.mode, ...zstd }],
      };
    case "a tag per instruction":
      return "BuildKit keeps no tag for each instruction";
    case "outside the registry":
      return notInRegistry(entry.where);
    default:
      return entry satisfies never;
  }
}
