import type { Recipe } from "../domain/recipe.ts";
import { CACHE_TO, placeOfReference } from "./places.ts";
import { isSameTag } from "./recipe-flags.ts";
import type { Check } from "./types.ts";

const WHY =
  "BuildKit, cache/remotecache/export.go: a cache is pushed as a manifest of its own under its reference, and a tag holds one manifest.";

/**
 * A registry cache under the image's own tag. A cache export is a manifest of its own that is put under its reference
 * (moby/buildkit, cache/remotecache/export.go): a tag holds one, so image and cache replace each other.
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
          `The cache is exported to the tag of the image itself, ${subjects}: one replaces the other, and who pulls the image may get the cache`;
        return [{ job: head.job, place, subject: reference, say, why: WHY }];
      });
    }),
};

/** Registry caches that have the tag of an image of the same build. */
export function cachesOverImages(recipe: Recipe): string[] {
  if (!/\/registry-/.test(recipe.strategy)) return [];
  return recipe.cacheTo.filter((reference) => recipe.images.some((image) => isSameTag(image, reference)));
}
