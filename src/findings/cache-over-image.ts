import type { Recipe } from "../domain/recipe.ts";
import { CACHE_TO, placeOfReference } from "./places.ts";
import { isSameTag } from "./recipe-flags.ts";
import type { Check } from "./types.ts";

const WHY =
  "BuildKit pushes a cache as a manifest of its own, and a tag holds one: solver/llbsolver/solver.go exports it after the image in v0.22, which leaves the cache, and beside it in v0.32, which leaves whichever comes last.";

/**
 * A registry cache under the image's own tag. A cache export is a manifest of its own that is put under its reference
 * (moby/buildkit, cache/remotecache/export.go), and a tag holds one. solver/llbsolver/solver.go of v0.22 exports the cache
 * after the image, that of v0.32 both at once: there the image was seen to come last, and the cache was gone.
 */
export const cacheOverImage: Check = {
  id: "cache-over-image",
  remarks: (reading) =>
    reading.pairs.flatMap(({ base, head }) => {
      const before = base === null ? [] : cachesOverImages(base);
      const fresh = cachesOverImages(head).filter((reference) => !before.includes(reference));
      return fresh.flatMap((reference) => {
        const place = placeOfReference(reading, head, "the cache's flag", CACHE_TO, reference);
        if (place === null) return [];
        const say = (subjects: string) =>
          `The cache is exported to the tag of the image itself, ${subjects}: a tag holds one of them, and by BuildKit's version either is lost`;
        return [{ job: head.job, place, subject: reference, say, why: WHY }];
      });
    }),
};

/** Registry caches that have the tag of an image of the same build. */
export function cachesOverImages(recipe: Recipe): string[] {
  if (!/\/registry-/.test(recipe.strategy)) return [];
  return recipe.cacheTo.filter((reference) => recipe.images.some((image) => isSameTag(image, reference)));
}
