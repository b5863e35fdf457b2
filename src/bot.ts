import type { Change } from "./domain/change.ts";
import type { Recipe, RecipeComparison, SourceLine } from "./domain/recipe.ts";
import { changedLines } from "./git/changed-lines.ts";
import type { Finding } from "./domain/finding.ts";
import { Problem } from "./domain/problem.ts";
import { findingsOf } from "./findings/index.ts";
import type { Repository } from "./git/repository.ts";
import { createTreeReader, type TreeReader } from "./git/tree-reader.ts";
import { compareRecipes } from "./recipes/compare.ts";
import { readRecipes, type TreeRecipes } from "./recipes/read-recipes.ts";

/** What a change does to the recipes: all that can be said of it without a build. */
export type ReadingOfChange = {
  base: TreeRecipes;
  head: TreeRecipes;
  readers: { base: TreeReader; head: TreeReader };
  comparison: RecipeComparison;
  /** Lines of the change that an answer speaks of. */
  quoted: SourceLine[];
  /** What can be told without a build, each on a line of the diff. */
  findings: Finding[];
};

/** Reads the templates before and after a change. Nothing of the change is run. */
export async function readBothTrees(repository: Repository, change: Change): Promise<ReadingOfChange> {
  const [base, head] = await Promise.all([
    createTreeReader(repository, change.base),
    createTreeReader(repository, change.head),
  ]);
  const recipes = { base: readTree(base), head: readTree(head) };
  const comparison = compareRecipes(recipes.base.recipes, recipes.head.recipes, recipes.head.jobs);
  const readers = { base, head };
  const findings = findingsOf({
    change,
    base: recipes.base.recipes,
    head: recipes.head.recipes,
    changed: comparison.changed,
    read: (side, path) => readers[side].read(path),
  });
  return { ...recipes, readers, comparison, quoted: quotedLines(change, comparison), findings };
}

/** Reads the recipes of one tree. Problem `template-unreadable` where its entry file is there but is no file to read. */
export function readTree(reader: TreeReader): TreeRecipes {
  const read = readRecipes(reader);
  if (read.files.includes(ENTRY) || !reader.has(ENTRY)) return read;
  throw new Problem(
    "template-unreadable",
    `${ENTRY} cannot be read: ${reader.whyNot(ENTRY) ?? "unknown"}.`,
    "Make it a regular file of the repository.",
  );
}

const ENTRY = ".gitlab-ci.yml";

const QUOTED_LINES = 8;

/** Lines that the change adds to the build command it is about: from the command's first line on, without a gap. */
function quotedLines(change: Change, comparison: RecipeComparison): SourceLine[] {
  const recipe = comparison.changed.find((entry) => entry.head !== null)?.head;
  if (recipe === undefined || recipe === null) return [];
  const file = change.files.find((candidate) => candidate.newPath === recipe.file);
  if (file === undefined) return [];
  const lines: SourceLine[] = [];
  for (const line of changedLines(file).added) {
    if (line.line === recipe.line + lines.length) lines.push(line);
  }
  return lines.slice(0, QUOTED_LINES);
}

/** True where the recipes before and after name the archived original of kaniko. */
export function namesArchivedKaniko(recipes: readonly Recipe[]): boolean {
  return recipes.some((recipe) => recipe.runsIn?.startsWith("gcr.io/kaniko-project/executor") ?? false);
}
