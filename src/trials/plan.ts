import type { Recipe, RecipeComparison } from "../domain/recipe.ts";
import { Problem } from "../domain/problem.ts";

/** One image of a change with the recipes of both sides. */
export type ImagePair = { image: string; dockerfile: string; current: Recipe; proposed: Recipe };

export type NotBuilt = { what: string; why: string };

/** Images to try, and what is left out with its reason. */
export type Selection = { pairs: ImagePair[]; notBuilt: NotBuilt[]; reason: string };

/** Short name of an image: its Dockerfile's file name without `.docker` or `.Dockerfile`, or its directory's for a plain `Dockerfile`. */
export function imageName(dockerfile: string): string {
  const parts = dockerfile.split("/");
  const file = parts.at(-1) ?? dockerfile;
  if (/^(Dockerfile|Containerfile)$/i.test(file)) return parts.at(-2) ?? file;
  return file
    .replace(/\.(docker|dockerfile|containerfile)$/i, "")
    .replace(/^(Dockerfile|Containerfile)\./i, "");
}

/** Pairs of changed recipes that can be tried, in the order of the template; the rest with its reason. */
export function pairsOf(comparison: RecipeComparison): { pairs: ImagePair[]; notBuilt: NotBuilt[] } {
  const pairs: ImagePair[] = [];
  const notBuilt: NotBuilt[] = [];
  for (const { job, base, head } of comparison.changed) {
    const why = reasonAgainst(base, head);
    if (why !== null) notBuilt.push({ what: `job ${job}`, why });
    else if (base !== null && head !== null && head.dockerfile !== null) {
      pairs.push({
        image: imageName(head.dockerfile),
        dockerfile: head.dockerfile,
        current: base,
        proposed: head,
      });
    }
  }
  return { pairs, notBuilt };
}

function reasonAgainst(base: Recipe | null, head: Recipe | null): string | null {
  if (base === null) return "the job is new: there is nothing to compare it with";
  if (head === null) return "the job no longer builds this image";
  for (const recipe of [base, head]) {
    const [first] = recipe.unresolved;
    if (first !== undefined) return `${recipe.file}:${recipe.line}: ${first.part}: ${first.why}`;
    if (recipe.dockerfile === null) return `${recipe.file}:${recipe.line}: the Dockerfile is not known`;
    if (recipe.images.length === 0) return `${recipe.file}:${recipe.line}: the job pushes no image`;
  }
  return base.dockerfile === head.dockerfile ? null : "the two sides build different Dockerfiles";
}

/** The pairs that were named, by image, Dockerfile or job. Problem image-unknown for a name that none has. */
export function pairsNamed(pairs: readonly ImagePair[], named: readonly string[]): ImagePair[] {
  const chosen = named.map((name) => {
    const pair = pairs.find((candidate) =>
      [candidate.image, candidate.dockerfile, candidate.proposed.job].includes(name),
    );
    if (pair !== undefined) return pair;
    throw new Problem(
      "image-unknown",
      `No changed recipe builds an image named ${name}.`,
      "Name one of the images below, its Dockerfile or its job.",
      [
        pairs.map((candidate) => candidate.image).join(", ") ||
          "none: the change touches no recipe that can be tried",
      ],
    );
  });
  return [...new Set(chosen)];
}

/** Why a sample of one was taken, and what it leaves out. */
export function sampleOf(
  pairs: readonly ImagePair[],
  chosen: ImagePair,
): { reason: string; notBuilt: NotBuilt[] } {
  if (pairs.length === 1) return { reason: "the only image that the change touches", notBuilt: [] };
  return {
    reason: `a sample: the first of ${pairs.length} changed images that this machine can build`,
    notBuilt: leftOut(pairs.filter((pair) => pair !== chosen)),
  };
}

/** Images that are not among the chosen ones, as one entry. */
export function leftOut(pairs: readonly ImagePair[]): NotBuilt[] {
  if (pairs.length === 0) return [];
  const names = pairs.map((pair) => pair.image);
  const shown = names.slice(0, 4).join(", ");
  const what = names.length > 4 ? `${shown} and ${names.length - 4} more` : shown;
  return [{ what, why: "not chosen for this trial" }];
}
