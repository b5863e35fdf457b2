import { readJob } from "./build-jobs.ts";
import { readGitlabCi } from "./gitlab-ci.ts";
import { readWorkflows } from "./github/workflows.ts";
import type { ScriptCache } from "./shell-source.ts";
import type { Recipe } from "../domain/recipe.ts";
import type { TreeFiles, Unread } from "./types.ts";

/** Everything that the templates of one tree say about building images. */
export type TreeRecipes = {
  /** In the order of the templates; a job that builds several images has several. */
  recipes: Recipe[];
  unread: Unread[];
  /** Template files read, in the order of reading; empty where the tree has no template. */
  files: string[];
  /** Every job of the templates, those that build nothing included. */
  jobs: string[];
};

/**
 * Reads the templates of a tree into recipes: GitLab CI and GitHub workflows, both where both are there. Throws a Problem
 * where GitLab's cannot be read; workflows stand alone, and one that cannot be read is named in `unread`.
 */
export function readRecipes(tree: TreeFiles): TreeRecipes {
  const { jobs, files, unread } = readGitlabCi(tree);
  const known = rememberFiles(tree);
  const cache: ScriptCache = { parsed: new Map(), mentions: new Map(), commands: 0 };
  const read = jobs.map((job) => readJob(job, known, cache));
  const workflows = readWorkflows(known, cache);
  return {
    recipes: [...read.flatMap((job) => job.recipes), ...workflows.recipes],
    unread: [...unread, ...read.flatMap((job) => job.unread), ...workflows.unread],
    files: [...files, ...workflows.files],
    jobs: [...jobs.map((job) => job.name), ...workflows.jobs],
  };
}

/** The same tree, each file asked for once: jobs ask for the same scripts again and again. */
function rememberFiles(tree: TreeFiles): TreeFiles {
  const texts = new Map<string, string | null>();
  return {
    ...tree,
    read: (path) => {
      const text = texts.get(path);
      if (text !== undefined) return text;
      const found = tree.read(path);
      texts.set(path, found);
      return found;
    },
  };
}
