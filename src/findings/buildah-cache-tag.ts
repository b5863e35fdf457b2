import type { Recipe } from "../domain/recipe.ts";
import { CACHE_FROM, CACHE_TO, placeOfReference } from "./places.ts";
import { isTagged } from "./recipe-flags.ts";
import type { Check, Reading, Remark } from "./types.ts";

/**
 * A cache of buildah or podman with a tag or a digest: both take a repository and refuse the rest
 * (buildah-build(1), --cache-from and --cache-to; containers/podman#19289, containers/buildah#4672).
 */
export const buildahCacheTag: Check = {
  id: "buildah-cache-tag",
  remarks: (reading) =>
    reading.pairs.flatMap(({ base, head }) => {
      if (head.builder !== "buildah") return [];
      const before = base?.builder === "buildah" ? [...base.cacheFrom, ...base.cacheTo] : [];
      const fresh = (references: readonly string[]) =>
        references.filter((reference) => isTagged(reference) && !before.includes(reference));
      return [
        ...fresh(head.cacheTo).flatMap((reference) =>
          remark(reading, head, "--cache-to", CACHE_TO, reference),
        ),
        ...fresh(head.cacheFrom).flatMap((reference) =>
          remark(reading, head, "--cache-from", CACHE_FROM, reference),
        ),
      ];
    }),
};

function remark(reading: Reading, head: Recipe, flag: string, pattern: RegExp, reference: string): Remark[] {
  const place = placeOfReference(reading, head, flag, pattern, reference);
  if (place === null) return [];
  const program = head.program.split(" ")[0] ?? head.builder;
  return [
    {
      job: head.job,
      place,
      subject: reference,
      say: (subjects) => `${program} takes a repository without a tag as its cache, and refuses ${subjects}`,
      why: "buildah-build(1), --cache-from and --cache-to: a repository; 'repository must contain neither a tag nor digest' (containers/podman#19289, containers/buildah#4672).",
    },
  ];
}
