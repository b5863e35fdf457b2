import type { Recipe } from "../domain/recipe.ts";
import { flagPattern, placeOfReference } from "./places.ts";
import { isTagged } from "./recipe-flags.ts";
import type { Check } from "./types.ts";

/**
 * kaniko's `--cache-repo` with a tag. kaniko writes `<cache-repo>:<key>` (pkg/cache/cache.go, Destination), and a name with
 * two tags is none: each look-up is taken for a miss (pkg/executor/build.go), each push of a layer fails with a warning.
 */
export const kanikoCacheTag: Check = {
  id: "kaniko-cache-tag",
  remarks: (reading) =>
    reading.pairs.flatMap(({ base, head }) => {
      const before = base === null ? [] : taggedCaches(base);
      return taggedCaches(head).flatMap((reference) => {
        const pattern = flagPattern("cache-repo");
        const place = placeOfReference(reading, head, "--cache-repo", pattern, reference);
        if (place === null || before.includes(reference)) return [];
        const say = (subjects: string) =>
          `kaniko puts tags of its own behind --cache-repo, and with the tag of ${subjects} no look-up and no push of the cache succeeds: it warns and builds everything`;
        return [{ job: head.job, place, subject: reference, say, why: WHY }];
      });
    }),
};

const WHY =
  "kaniko, pkg/cache/cache.go: an entry is <cache-repo>:<key>, which a repository with a tag makes no valid name; pkg/executor/build.go takes that for a miss.";

/** Cache repositories of kaniko that have a tag or a digest. */
export function taggedCaches(recipe: Recipe): string[] {
  return recipe.builder === "kaniko" ? recipe.cacheFrom.filter(isTagged) : [];
}
