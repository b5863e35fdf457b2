import { DEFAULT_LIMITS } from "../domain/job.ts";
import type { BuilderId, Recipe } from "../domain/recipe.ts";
import { buildah } from "./buildah.ts";
import { buildkit } from "./buildkit.ts";
import { docker } from "./docker.ts";
import { kaniko } from "./kaniko.ts";
import type { Builder } from "./types.ts";

/** Every builder that Tare can run. */
export const builders = { docker, buildkit, kaniko, buildah } satisfies Record<BuilderId, Builder>;

/**
 * Describes a job that is never run, so that what a builder refuses is known before anything is opened.
 * Problems: `flag-refused`, `strategy-unsupported`.
 */
export function refuseUnrunnable(recipe: Recipe): void {
  builders[recipe.builder].job({
    name: "dry",
    recipe,
    images: [],
    cacheFrom: [],
    cacheTo: recipe.cacheTo,
    pulls: [],
    files: [],
    projectDirectory: "/",
    dockerfile: "/Dockerfile",
    context: null,
    registryHost: "registry.invalid",
    credentials: null,
    mirrors: [],
    proxy: null,
    image: "",
    limits: DEFAULT_LIMITS,
  });
}
