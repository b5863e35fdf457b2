import type { Job, JobFile, JobResult, Limits, Phases } from "../domain/job.ts";
import type { CachePlace, CacheStrategy } from "../caches/types.ts";
import type { Mirror } from "../domain/mirror.ts";
import type { BuilderId, Recipe } from "../domain/recipe.ts";
import type { Credentials } from "./credentials.ts";

/** One run as a builder is asked for it. References are already those of the trial's registry. */
export type BuildRun = {
  name: string;
  recipe: Recipe;
  /** Image references, cache sources and cache targets, mapped to the trial's registry. */
  images: string[];
  cacheFrom: string[];
  cacheTo: string[];
  /** References that are pulled before the build, mapped likewise. */
  pulls: string[];
  /** The Dockerfile of this scenario and the files of the context, at absolute paths below the project directory. */
  files: JobFile[];
  projectDirectory: string;
  /** Paths inside the job: where the template says the Dockerfile and the context are. */
  dockerfile: string;
  context: string | null;
  /** host:port of the trial's registry. */
  registryHost: string;
  /** Who the job is at that registry; null where it asks nobody. */
  credentials: Credentials | null;
  /** Where base images are pulled from instead, one for a registry: the operator's, and what stands in for docker.io. */
  mirrors: readonly Mirror[];
  /** Address (http://host:port) of the proxy that RUN steps download through; null where they download by themselves. */
  proxy: string | null;
  /** Container image of the builder on the engine. */
  image: string;
  limits: Limits;
};

/** A run before it is known who it is at the registry. */
export type PlannedRun = Omit<BuildRun, "credentials">;

export type DroppedFlag = { flag: string; why: string };

/** A builder describes jobs and reads what they said. Pure: an executor does the rest. */
export type Builder = {
  id: BuilderId;
  privileges: Job["privileges"];
  /** The privileges in words, as a maintainer must grant them; null where it needs none. */
  needs: string | null;
  /** Throws Problem flag-refused for a flag that reaches for the host or changes what is measured. */
  job(run: BuildRun): { job: Job; dropped: DroppedFlag[] };
  phases(run: BuildRun, result: JobResult): Phases;
  /**
   * The same image built by this builder with another cache strategy: what Tare would write into the template. A text
   * says why this builder cannot do that. `variant` is the id of a Variant, or null.
   */
  adapt(recipe: Recipe, cache: CacheStrategy, place: CachePlace, variant: string | null): Recipe | string;
};
