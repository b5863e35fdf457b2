import { flagPattern, placeInCommand } from "./places.ts";
import { isOn } from "./recipe-flags.ts";
import type { Recipe } from "../domain/recipe.ts";
import type { Check } from "./types.ts";

/**
 * kaniko's `--reproducible` writes every layer anew, in memory (pkg/executor/build.go calls mutate.Canonical of
 * go-containerregistry; GoogleContainerTools/kaniko#862). With v1.24.0 image and cache share no blob, nor image and base.
 */
export const reproducible: Check = {
  id: "reproducible",
  remarks: (reading) =>
    reading.pairs.flatMap(({ base, head }) => {
      if (!rewrites(head) || (base !== null && rewrites(base))) return [];
      const place = placeInCommand(reading, head, "--reproducible", flagPattern("reproducible"));
      if (place === null) return [];
      const others = head.strategy === "kaniko/layers" ? "its cache or its base image" : "its base image";
      return [
        {
          job: head.job,
          place,
          subject: null,
          say: () =>
            `--reproducible writes every layer anew, those of the base too: the image shares no blob with ${others}, and each layer is held in memory`,
          why: "kaniko, pkg/executor/build.go: mutate.Canonical of go-containerregistry rewrites all layers into memory (GoogleContainerTools/kaniko#862).",
        },
      ];
    }),
};

function rewrites(recipe: Recipe): boolean {
  // A later fork can leave the base's layers as they are.
  const keepsBase = Object.hasOwn(recipe.environment, "FF_KANIKO_REPRODUCIBLE_PRESERVE_BASE_LAYERS");
  return recipe.builder === "kaniko" && isOn(recipe, "reproducible") && !keepsBase;
}
