import { posix } from "node:path";
import type { CacheEntry, CachePlace, CacheStrategy } from "../caches/types.ts";
import { variantOf } from "../caches/variants.ts";
import type { BuilderId, Recipe } from "../domain/recipe.ts";
import type { Builder } from "./types.ts";
import { splitReference } from "../domain/image-reference.ts";

/** Names that a proposed strategy keeps its cache under, as templates write them. */
export type CacheNames = {
  /** The image that is pushed first. */
  image: string;
  /** Repository of the cache, without a tag. */
  repository: string;
  /** The one tag there that a cache of one manifest is kept under. */
  reference: string;
  /** Sources to try before the cache's own. */
  moreSources: string[];
};

/** What a strategy adds to a fresh recipe; a text says why the builder has no such strategy. */
export type Decide = (
  entry: CacheEntry,
  names: CacheNames,
  variant: string | null,
) => Partial<Recipe> | string;

/** The `adapt` of a builder from what it alone decides. `program` is the command that Tare would write. */
export function adaptor(
  builder: BuilderId,
  program: string,
  needsContext: boolean,
  decide: Decide,
): Builder["adapt"] {
  return (recipe, cache, place, variant) => {
    const [image] = recipe.images;
    if (image === undefined) return "the recipe pushes no image";
    if (recipe.dockerfile === null) return "the recipe's Dockerfile is not known";
    const refused = variant === null ? null : refuseVariant(builder, cache, variant);
    if (refused !== null) return refused;
    const names = cacheNames(image, placeOf(image, cache, place, variant));
    const decided = decide(cache.entry, names, variant);
    if (typeof decided === "string") return decided;
    const context = recipe.context ?? (needsContext ? posix.dirname(recipe.dockerfile) : null);
    const fresh = freshRecipe(recipe);
    const buildArgs = { ...fresh.buildArgs, ...decided.buildArgs };
    return { ...fresh, builder, strategy: `${builder}/${cache.id}`, program, context, ...decided, buildArgs };
  };
}

function refuseVariant(builder: BuilderId, cache: CacheStrategy, id: string): string | null {
  const variant = variantOf(id);
  if (variant === null) return `there is no variant ${id}`;
  return variant.appliesTo(builder, cache.id) ? null : `${builder}/${cache.id} has no variant ${id}`;
}

/** What stays of a recipe whatever builds it. */
function freshRecipe(recipe: Recipe): Recipe {
  const { BUILDKIT_INLINE_CACHE: _, ...buildArgs } = recipe.buildArgs;
  const kept = new Set(["dockerfile", "context", "build-arg", "target", "image"]);
  return {
    ...recipe,
    runsIn: null,
    services: [],
    cacheFrom: [],
    cacheTo: [],
    cacheToOptions: [],
    pulls: [],
    buildArgs,
    flags: [],
    environment: {},
    unresolved: recipe.unresolved.filter(({ part }) => kept.has(part)),
  };
}

/** Two variants are a place of their own. */
function placeOf(image: string, cache: CacheStrategy, place: CachePlace, variant: string | null): CachePlace {
  if (variant === "own-repository") return { ...place, repository: "the image's own" };
  if (variant !== "two-sources") return place;
  const absent = `${splitReference(image).repository}-upstream`;
  const first = { inline: `${absent}:latest`, layers: `${absent}-cache` } as Record<string, string>;
  return { ...place, moreSources: [first[cache.id] ?? `${absent}-cache:latest`, ...place.moreSources] };
}

function cacheNames(image: string, place: CachePlace): CacheNames {
  const own = splitReference(image).repository;
  const { moreSources } = place;
  if (place.repository === "the image's own")
    return { image, repository: own, reference: `${own}:cache`, moreSources };
  return { image, repository: `${own}-cache`, reference: `${own}-cache:latest`, moreSources };
}

/** Why no builder can try a cache that is not in a registry. */
export function notInRegistry(where: string): string {
  return `a fresh runner starts without ${where}`;
}
