import { builders } from "../builders/index.ts";
import { caches } from "../caches/index.ts";
import type { CachePlace } from "../caches/types.ts";
import { variants } from "../caches/variants.ts";
import { BUILDERS, CACHES, type BuilderId, type CacheId, type Recipe } from "../domain/recipe.ts";
import { nearestKey } from "../domain/nearest-key.ts";
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

/** What can be asked for beside them. */
const MORE_STRATEGIES: readonly string[] = ["docker/registry-min", "docker/registry-max"];

/** Reads names of strategies; each once. Problem `arguments`, with all of them, where some are not known. */
export function wantedStrategies(names: readonly string[]): WantedStrategy[] {
  const all = [...new Set(names.flatMap((name) => (name === "all" ? ALL_STRATEGIES : [name])))];
  const wanted = all.map((name) => ({ name, strategy: wantedStrategy(name) }));
  const unknown = wanted.filter(({ strategy }) => strategy === null).map(({ name }) => name);
  if (unknown.length === 0) return wanted.flatMap(({ strategy }) => strategy ?? []);
  const known = [...ALL_STRATEGIES, ...MORE_STRATEGIES];
  const said = unknown.map((name) => {
    const nearest = nearestKey(name, known);
    return nearest === null ? name : `${name} (did you mean ${nearest}?)`;
  });
  const are = unknown.length === 1 ? "is no strategy" : "are no strategies";
  throw new Problem(
    "arguments",
    `${said.join(", ")} ${are} that Tare knows.`,
    "Name strategies of this list:",
    [
      `all: ${ALL_STRATEGIES.join(", ")}`,
      `beside them: ${MORE_STRATEGIES.join(", ")}`,
      `variants, behind a +: ${variants.map(({ id, title }) => `${id} (${title})`).join(", ")}`,
    ],
  );
}

function wantedStrategy(name: string): WantedStrategy | null {
  const [strategy = "", variant = null, ...more] = name.split("+");
  const [first, second, ...rest] = strategy.split("/");
  const builder = BUILDERS.find((id) => id === first);
  const cache = CACHES.find((id) => id === second);
  const known = variant === null || variants.some(({ id }) => id === variant);
  const isKnown = builder !== undefined && cache !== undefined && known && rest.length + more.length === 0;
  return isKnown ? { builder, cache, variant } : null;
}

/** The recipe that has the image built with another strategy, or why there is none. */
export function adaptRecipe(recipe: Recipe, { builder, cache, variant }: WantedStrategy): Recipe | string {
  return builders[builder].adapt(recipe, caches[cache], BESIDE, variant);
}

const BESIDE: CachePlace = { repository: "beside the image", moreSources: [] };
