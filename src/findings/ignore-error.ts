import type { Recipe } from "../domain/recipe.ts";
import { cachesOverImages } from "./cache-over-image.ts";
import { deniedInForks, ignoresErrors } from "./fork-cache.ts";
import { CACHE_TO, placeInCommand } from "./places.ts";
import { isSure } from "./recipe-flags.ts";
import type { Check } from "./types.ts";

const WHY =
  "README of moby/buildkit, Registry cache: ignore-error is false by default; solver/llbsolver/export.go returns the error.";

/**
 * A registry cache of BuildKit without `ignore-error=true`: its default is false, and a failed export then fails the
 * build, whose image may be pushed by then (moby/buildkit, README, Registry cache; solver/llbsolver/export.go).
 */
export const ignoreError: Check = {
  id: "ignore-error",
  remarks: (reading) =>
    reading.pairs.flatMap(({ base, head }) => {
      const before = base === null ? [] : failing(base);
      const fresh = failing(head).filter((reference) => !before.includes(reference));
      return fresh.flatMap((reference) => {
        const place = placeInCommand(reading, head, "the cache's flag", CACHE_TO, reference);
        if (place === null) return [];
        const say = (subjects: string) =>
          `Without ignore-error=true a failed export of the cache to ${subjects} fails the whole build`;
        return [{ job: head.job, place, subject: reference, say, why: WHY }];
      });
    }),
};

/** Caches whose failed export fails the build; those of which something graver is said are left out. */
function failing(recipe: Recipe): string[] {
  if (!/\/registry-/.test(recipe.strategy) || !isSure(recipe, "cache-to")) return [];
  const told = new Set([...cachesOverImages(recipe), ...deniedInForks(recipe)]);
  return recipe.cacheTo.filter((reference) => !told.has(reference) && !ignoresErrors(recipe, reference));
}
