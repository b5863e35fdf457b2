/** Builders that Tare knows. A new one is a member here and a file in src/builders. */
export const BUILDERS = ["docker", "buildkit", "kaniko", "buildah"] as const;
export type BuilderId = (typeof BUILDERS)[number];

/** Cache strategies that a recipe can state. What each of them is, and which builders have it, stands in src/caches. */
export const CACHES = [
  "none",
  "inline",
  "registry-min",
  "registry-max",
  "layers",
  "local",
  "gha",
  "s3",
  "azblob",
] as const;
export type CacheId = (typeof CACHES)[number];

/** Builder and cache strategy, for example `kaniko/layers`. */
export type Strategy = `${BuilderId}/${CacheId}`;

/** A part of a recipe that could not be resolved, and why. Nothing is guessed. */
export type Unresolved = { part: string; why: string };

/**
 * One image build as a template states it.
 *
 * Values keep GitLab's run-time variables as written (`$CI_REGISTRY_IMAGE/x:latest`): only a pipeline knows
 * them. Everything a file of the tree defines is expanded. Paths are relative to the root of the tree.
 */
export type Recipe = {
  /** Name of the CI job. */
  job: string;
  /** File and 1-based line of the build command. */
  file: string;
  line: number;
  builder: BuilderId;
  strategy: Strategy;
  /** The program as the template calls it: `docker build`, `docker buildx build`, `buildctl build`, `podman build` … */
  program: string;
  /** Container image in which the job runs, as the template names it, and its services. */
  runsIn: string | null;
  services: string[];
  /** Path of the Dockerfile in the tree; null where it could not be resolved. */
  dockerfile: string | null;
  /** Path of the build context in the tree (`.` is its root); null where the template gives none. */
  context: string | null;
  target: string | null;
  /** Image references that the build pushes. */
  images: string[];
  /** References that the build may read its cache from, in order. */
  cacheFrom: string[];
  /** References that the build writes its cache to; the image itself where the cache is inline. */
  cacheTo: string[];
  /** Options of each `cacheTo` beside its type and reference (`mode`, `ignore-error` …), in the same order. */
  cacheToOptions: Record<string, string>[];
  /** References that the job pulls before it builds, so that a build can take its cache from them. */
  pulls: string[];
  /** Build arguments; null where the value comes from the environment of the job. */
  buildArgs: Record<string, string | null>;
  /** Every flag of the build command as written after expansion, `--name=value` or `--name`, in order. */
  flags: string[];
  /** Environment of the job that changes what a builder does (DOCKER_BUILDKIT, BUILDKIT_*, KANIKO_*, FF_KANIKO_*). */
  environment: Record<string, string>;
  /** References that the job logs in to before it builds; empty where it does not log in. */
  logins: string[];
  /** Pipelines in which the job runs, as far as its rules tell upstream from forks. */
  condition: "upstream" | "fork" | "both";
  unresolved: Unresolved[];
};

/** A remark that no build is needed for, tied to a line. */
export type SourceLine = { file: string; line: number; text: string };

/** What a change does to the recipes of a tree. */
export type RecipeComparison = {
  /** One sentence, for example `26 jobs: docker/inline with two cache sources becomes kaniko/layers`. */
  sentence: string;
  /** Jobs whose recipe differs, with both sides; null where the job is new or gone. */
  changed: { job: string; base: Recipe | null; head: Recipe | null }[];
  unchangedJobs: string[];
};
