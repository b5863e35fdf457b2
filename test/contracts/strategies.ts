import { builders } from "../../src/builders/index.ts";
import { caches } from "../../src/caches/index.ts";
import type { CachePlace } from "../../src/caches/types.ts";
import type { BuilderId, CacheId, Recipe } from "../../src/domain/recipe.ts";

/** A recipe of the example's kind; the builder's own flags and cache are given. */
export function liveRecipe(part: Partial<Recipe> & Pick<Recipe, "builder" | "strategy">): Recipe {
  return {
    job: "live",
    file: "ci.yml",
    line: 1,
    runsIn: null,
    services: [],
    program: "docker build",
    dockerfile: "Dockerfile",
    context: ".",
    target: null,
    images: ["$CI_REGISTRY_IMAGE/image:latest"],
    cacheFrom: [],
    cacheTo: [],
    buildArgs: {},
    flags: [],
    environment: {},
    logins: [],
    condition: "both",
    cacheToOptions: [],
    pulls: [],
    unresolved: [],
    ...part,
  };
}

/** docker/inline and kaniko/layers as templates of QEMU's shape state them; the others as Tare would write them. */
export const STRATEGIES = {
  "docker/none": adapted("docker", "none"),
  "docker/inline": liveRecipe({
    builder: "docker",
    strategy: "docker/inline",
    cacheFrom: ["$CI_REGISTRY_IMAGE/image:latest"],
    cacheTo: ["$CI_REGISTRY_IMAGE/image:latest"],
    buildArgs: { BUILDKIT_INLINE_CACHE: "1" },
    flags: ["--provenance=false"],
  }),
  "docker/registry-max": adapted("docker", "registry-max"),
  "buildkit/registry-min": adapted("buildkit", "registry-min"),
  "buildkit/registry-max": adapted("buildkit", "registry-max"),
  "buildkit/inline": adapted("buildkit", "inline"),
  "kaniko/none": adapted("kaniko", "none"),
  "kaniko/layers": liveRecipe({
    builder: "kaniko",
    strategy: "kaniko/layers",
    program: "/kaniko/executor",
    cacheFrom: ["$CI_REGISTRY_IMAGE/image-cache"],
    cacheTo: ["$CI_REGISTRY_IMAGE/image-cache"],
    flags: ["--cache=true"],
  }),
  "buildah/none": adapted("buildah", "none"),
  "buildah/layers": adapted("buildah", "layers"),
} as const;

/** The image with another strategy, as Tare would write it. */
export function adapted(builder: BuilderId, cache: CacheId, variant: string | null = null): Recipe {
  const recipe = liveRecipe({ builder: "docker", strategy: "docker/none" });
  const place: CachePlace = { repository: "beside the image", moreSources: [] };
  const found = builders[builder].adapt(recipe, caches[cache], place, variant);
  if (typeof found === "string") throw new Error(found);
  return found;
}
