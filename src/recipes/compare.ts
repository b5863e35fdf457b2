import type { Recipe, RecipeComparison } from "../domain/recipe.ts";
import { differences } from "./differences.ts";
import type { Difference } from "./differences.ts";

type Pair = { job: string; base: Recipe | null; head: Recipe | null };

/**
 * Says what a change does to the recipes of a tree. `headJobs` are all jobs of the head (those that build
 * nothing included): it tells a removed job from one that builds nothing any more.
 */
export function compareRecipes(
  base: readonly Recipe[],
  head: readonly Recipe[],
  headJobs: readonly string[] | null = null,
): RecipeComparison {
  const jobs = [...new Set([...head, ...base].map((recipe) => recipe.job))];
  const pairs = jobs.flatMap((job) => pairUp(job, ofJob(base, job), ofJob(head, job)));
  const changes = pairs
    .map((pair) => ({ pair, said: describe(pair, headJobs) }))
    .filter((change) => change.said.length > 0);
  const changed = new Set(changes.map((change) => change.pair.job));
  return {
    sentence: changes.length === 0 ? "No recipe changes." : sentenceOf(changes),
    changed: changes.map((change) => change.pair),
    unchangedJobs: jobs.filter((job) => !changed.has(job)),
  };
}

function ofJob(recipes: readonly Recipe[], job: string): Recipe[] {
  return recipes.filter((recipe) => recipe.job === job);
}

/** Pairs the recipes of one job: by the images they push, then by Dockerfile, then in order. */
function pairUp(job: string, base: readonly Recipe[], head: readonly Recipe[]): Pair[] {
  const left = new Set(base);
  const right = new Set(head);
  const pairs: Pair[] = [];
  const same = [
    (a: Recipe, b: Recipe) => a.images.join() === b.images.join() && a.dockerfile === b.dockerfile,
    (a: Recipe, b: Recipe) => a.images.length > 0 && a.images.join() === b.images.join(),
    (a: Recipe, b: Recipe) => a.dockerfile !== null && a.dockerfile === b.dockerfile,
    () => true,
  ];
  for (const matches of same) {
    for (const a of left) {
      const b = [...right].find((candidate) => matches(a, candidate));
      if (b === undefined) continue;
      left.delete(a);
      right.delete(b);
      pairs.push({ job, base: a, head: b });
    }
  }
  for (const a of left) pairs.push({ job, base: a, head: null });
  for (const b of right) pairs.push({ job, base: null, head: b });
  return pairs;
}

function describe({ job, base, head }: Pair, headJobs: readonly string[] | null): Difference[] {
  if (base === null && head !== null) return [plain(`new, ${head.strategy}`)];
  if (base !== null && head === null) {
    return [plain(headJobs === null || headJobs.includes(job) ? "no build any more" : "removed")];
  }
  return base === null || head === null ? [] : differences(base, head);
}

function plain(text: string): Difference {
  return { text, shape: text };
}

/** Groups jobs whose differences have the same shape; a single job is named. */
function sentenceOf(changes: readonly { pair: Pair; said: Difference[] }[]): string {
  const groups = Map.groupBy(changes, (change) =>
    change.said.map((difference) => difference.shape).join(", "),
  );
  const sentences = [...groups].map(([shape, group]) => {
    const jobs = new Set(group.map((change) => change.pair.job));
    const texts = new Set(group.map((change) => change.said.map((difference) => difference.text).join(", ")));
    const [text = shape] = texts;
    const [job = ""] = jobs;
    return jobs.size === 1
      ? `job ${job}: ${[...texts].join(", ")}`
      : `${jobs.size} jobs: ${texts.size === 1 ? text : shape}`;
  });
  return sentences.join("; ");
}
