import type { BuilderId, Recipe } from "../domain/recipe.ts";
import { taggedCaches } from "./kaniko-cache-tag.ts";
import { CACHE_TO, placeOfReference } from "./places.ts";
import type { Check, Reading, Remark } from "./types.ts";

/** A cache in a project that is written out: that of upstream, in a fork's pipeline too. */
const FIXED_PROJECT = /^(?:\$CI_REGISTRY|registry\.gitlab\.com)\/[^$/:]+\/[^/]/;

/** What happens to a job whose cache push is denied, and where that is decided. */
const CONSEQUENCES: Readonly<Record<BuilderId | "ignored", { text: string; why: string }>> = {
  kaniko: {
    text: "kaniko warns and goes on, and what upstream's cache does not hold is built in every run",
    why: 'kaniko, pkg/executor/build.go: "Error uploading layer to cache" is a warning.',
  },
  buildah: {
    text: "buildah ends the job with exit code 125",
    why: "buildah, imagebuildah/stage_executor.go: a failed push to --cache-to is an error of the build.",
  },
  docker: {
    text: "the build fails, as ignore-error=true is not set",
    why: "BuildKit, solver/llbsolver/export.go: a failed cache export is an error unless ignore-error=true.",
  },
  buildkit: {
    text: "BuildKit fails the build, as ignore-error=true is not set",
    why: "BuildKit, solver/llbsolver/export.go: a failed cache export is an error unless ignore-error=true.",
  },
  ignored: {
    text: "BuildKit goes on by ignore-error=true, and what upstream's cache does not hold is built in every run",
    why: "BuildKit, solver/llbsolver/export.go: ignore-error=true makes a failed cache export a warning.",
  },
};

const TOKEN =
  "GitLab's documentation, CI/CD job token: a job's credentials push to the registry of its own project alone.";

/**
 * A cache that every pipeline writes, in a project that is named in the template: a fork's job is denied. GitLab's job
 * token pushes to the job's own project only (docs.gitlab.com/ci/jobs/ci_job_token); what then happens is the builder's.
 */
export const forkCache: Check = {
  id: "fork-cache",
  remarks: (reading) => reading.pairs.flatMap(({ base, head }) => remarksOf(reading, base, head)),
};

function remarksOf(reading: Reading, base: Recipe | null, head: Recipe): Remark[] {
  const before = base !== null && base.builder === head.builder ? deniedInForks(base) : [];
  return deniedInForks(head).flatMap((reference) => {
    const place = placeOfReference(reading, head, "the cache's flag", CACHE_TO, reference);
    if (place === null || before.includes(reference)) return [];
    const { text, why } = CONSEQUENCES[ignoresErrors(head, reference) ? "ignored" : head.builder];
    return [
      {
        job: head.job,
        place,
        subject: reference,
        say: (subjects) => `A fork's pipeline may not write the cache ${subjects}: there ${text}`,
        why: `${TOKEN} ${why}`,
      },
    ];
  });
}

/** Caches of a recipe that a pipeline of a fork is not allowed to write. An inline cache is the image itself. */
export function deniedInForks(recipe: Recipe): string[] {
  if (recipe.condition === "upstream" || recipe.strategy.endsWith("/inline")) return [];
  const never = taggedCaches(recipe);
  return recipe.cacheTo.filter((reference) => FIXED_PROJECT.test(reference) && !never.includes(reference));
}

/** Whether a failed export of this cache leaves the build alone. */
export function ignoresErrors(recipe: Recipe, reference: string): boolean {
  const options = recipe.cacheToOptions[recipe.cacheTo.indexOf(reference)];
  return /^(?:1|t|true)$/i.test(options?.["ignore-error"] ?? "");
}
