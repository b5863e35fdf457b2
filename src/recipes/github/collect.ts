import type { Recipe } from "../../domain/recipe.ts";
import type { Unread } from "../types.ts";
import type { World } from "./worlds.ts";

/** What one job says in one world. */
export type JobResult = { name: string; world: World; recipes: Recipe[]; unread: Unread[] };

/** What the jobs of all workflows say, by the job's name, in the order of reading. */
export type Collection = { jobs: Map<string, JobResult[]> };

export function startCollection(): Collection {
  return { jobs: new Map() };
}

export function takeJob(collection: Collection, result: JobResult): void {
  collection.jobs.set(result.name, [...(collection.jobs.get(result.name) ?? []), result]);
}

/**
 * One recipe for each build of a job: that of the first event in which it is pushed, else of the first in which it is
 * built. Rows of a matrix whose recipes are the same have one.
 */
export function collect(collection: Collection): { recipes: Recipe[]; unread: Unread[]; jobs: string[] } {
  const recipes: Recipe[] = [];
  const unread: Unread[] = [];
  const seen = new Set<string>();
  const said = new Set<string>();
  for (const results of collection.jobs.values()) {
    for (const recipe of chosen(results)) {
      const { job: _job, ...rest } = recipe;
      const key = JSON.stringify([rest, base(recipe.job)]);
      if (seen.has(key)) continue;
      seen.add(key);
      recipes.push(recipe);
    }
    for (const each of results.flatMap((result) => result.unread)) {
      const key = JSON.stringify([each.file, each.line, each.command, each.why, base(each.job ?? "")]);
      if (said.has(key)) continue;
      said.add(key);
      unread.push(each);
    }
  }
  return { recipes, unread, jobs: [...collection.jobs.keys()] };
}

/** Name of a job without its row of the matrix. */
function base(job: string): string {
  return job.replaceAll(/ \([^()]*\)/g, "");
}

function chosen(results: readonly JobResult[]): Recipe[] {
  const byStep = new Map<string, { recipe: Recipe; world: World }[]>();
  for (const { recipes, world } of results) {
    const counts = new Map<string, number>();
    for (const recipe of recipes) {
      const place = `${recipe.file}:${recipe.line}`;
      const count = counts.get(place) ?? 0;
      counts.set(place, count + 1);
      const key = `${place} ${count}`;
      byStep.set(key, [...(byStep.get(key) ?? []), { recipe, world }]);
    }
  }
  return [...byStep.values()].flatMap((built) => {
    const pushed = built.find(({ recipe }) => recipe.images.length > 0) ?? built[0];
    if (pushed === undefined) return [];
    const inPulls = built.some(({ world }) => world.event.startsWith("pull_request"));
    const condition = pushed.recipe.condition === "both" && !inPulls ? "upstream" : pushed.recipe.condition;
    return [{ ...pushed.recipe, condition }];
  });
}
