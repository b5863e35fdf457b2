import type { Recipe } from "../domain/recipe.ts";
import { flagPattern, placeInCommand } from "./places.ts";
import { isOn } from "./recipe-flags.ts";
import type { Check } from "./types.ts";

/**
 * kaniko's `--single-snapshot` beside `--cache`: only the last command is taken as a layer, so no RUN before it is kept
 * (pkg/executor/build.go, shouldTakeSnapshot). With v1.24.0 and a CMD at the end nothing at all is pushed to the cache.
 */
export const singleSnapshot: Check = {
  id: "single-snapshot",
  remarks: (reading) =>
    reading.pairs.flatMap(({ base, head }) => {
      if (!spoilsCache(head) || (base !== null && spoilsCache(base))) return [];
      const place = placeInCommand(reading, head, "--single-snapshot", flagPattern("single-snapshot"));
      if (place === null) return [];
      return [
        {
          job: head.job,
          place,
          subject: null,
          say: () =>
            "--single-snapshot makes one layer of the whole stage: nothing useful reaches the cache that --cache asks for",
          why: "kaniko, pkg/executor/build.go: with --single-snapshot only the last command is followed by a snapshot, and only snapshots are cached.",
        },
      ];
    }),
};

function spoilsCache(recipe: Recipe): boolean {
  return recipe.strategy === "kaniko/layers" && isOn(recipe, "single-snapshot");
}
