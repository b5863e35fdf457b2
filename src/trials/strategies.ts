import { builders } from "../builders/index.ts";
import { caches } from "../caches/index.ts";
import type { CachePlace } from "../caches/types.ts";
import { variants } from "../caches/variants.ts";
import { BUILDERS, CACHES, type BuilderId, type CacheId, type Recipe } from "../domain/recipe.ts";
import { Problem } from "../domain/problem.ts";

/** A strategy as it is asked for: `kaniko/layers`, or with a variant `kaniko/layers+redo`. */
export type WantedStrategy = { builder: BuilderId; cache: CacheId; variant: string | null };

/** What `all` stands for: every strategy that a registry alone can carry. */
export const ALL_STRATEGIES: readonly string[] = [
  "docker/none",
  "docker/inline",
  "buildkit/registry-min",
  "buildkit/registry-max",
  "buildkit/inline",
  "kaniko/none",
  "kaniko/layers",
  "buildah/none",
  "buildah/layers",
];

/** Reads names of strategies; each once. Problem `arguments` where a builder, a cache or a variant is not known. */
export function wantedStrategies(names: readonly string[]): WantedStrategy[] {
  const all = names.flatMap((name) => (name === "all" ? ALL_STRATEGIES : [name]));
  return [...new Set(all)].map(wantedStrategy);
}

function wantedStrategy(name: string): WantedStrategy {
  const [strategy = "", variant = null, ...more] = name.split("+");
  const [first, second, ...rest] = strategy.split("/");
  const builder = BUILDERS.find((id) => id === first);
  const cache = CACHES.find((id) => id === second);
  const known = variant === null || variants.some(({ id }) => id === variant);
  if (builder !== undefined && cache !== undefined && known && rest.length + more.length === 0)
    return { builder, cache, variant };
  throw new Problem("arguments", `${name} is no strategy that Tare knows.`, "Name strategies of this list:", [
    `all: ${ALL_STRATEGIES.join(", ")}`,
    `variants, behind a +: ${variants.map(({ id, title }) => `${id} (${title})`).join(", ")}`,
  ]);
}

/** The recipe that has the image built with another strategy, or why there is none. */
export function adaptRecipe(recipe: Recipe, { builder, cache, variant }: WantedStrategy): Recipe | string {
  return builders[builder].adapt(recipe, caches[cache], BESIDE, variant);
}

const BESIDE: CachePlace = { repository: "beside the image", moreSources: [] };
