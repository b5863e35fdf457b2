import { builders } from "../../src/builders/index.ts";
import { caches } from "../../src/caches/index.ts";
import type { CachePlace } from "../../src/caches/types.ts";
import type { BuilderId, CacheId, Recipe } from "../../src/domain/recipe.ts";
import { trialRecipe } from "../fixtures/trial/image-trial.ts";

const BESIDE: CachePlace = { repository: "beside the image", moreSources: [] };

/** The fixture's image as a builder would have it with another strategy, or why there is none. */
export function adapt(
  builder: BuilderId,
  cache: CacheId,
  variant: string | null = null,
  place: CachePlace = BESIDE,
  recipe: Recipe = trialRecipe("docker/inline"),
): Recipe | string {
  return builders[builder].adapt(recipe, caches[cache], place, variant);
}

/** The same where there must be one. */
export function adapted(builder: BuilderId, cache: CacheId, variant: string | null = null): Recipe {
  const found = adapt(builder, cache, variant);
  if (typeof found === "string") throw new Error(found);
  return found;
}
