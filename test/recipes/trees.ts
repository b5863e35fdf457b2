import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Recipe } from "../../src/domain/recipe.ts";
import { Problem } from "../../src/domain/problem.ts";
import { readRecipes } from "../../src/recipes/read-recipes.ts";
import type { TreeFiles } from "../../src/recipes/types.ts";

/** A tree of texts by path. */
export function treeOf(files: Record<string, string>): TreeFiles {
  return { read: (path) => files[path] ?? null, list: () => Object.keys(files) };
}

/** A tree of test/fixtures/recipes. */
export function fixtureTree(name: string): TreeFiles {
  const root = join(import.meta.dirname, "../fixtures/recipes", name);
  const paths = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
  return treeOf(Object.fromEntries(paths.map((path) => [path, readFileSync(join(root, path), "utf8")])));
}

/** A tree whose entry file has these lines. */
export function ciTree(lines: string, files: Record<string, string> = {}): TreeFiles {
  return treeOf({ ".gitlab-ci.yml": lines, ...files });
}

/** A tree with one job, named `job`, with these script items in a Docker image. */
export function scriptTree(items: readonly string[], files: Record<string, string> = {}): TreeFiles {
  return ciTree(JSON.stringify({ job: { image: "docker:27", script: items } }), files);
}

/** The only recipe of a tree with one job of these script items. */
export function onlyRecipe(items: readonly string[], files: Record<string, string> = {}): Recipe {
  const { recipes, unread } = readRecipes(scriptTree(items, files));
  const [recipe] = recipes;
  if (recipe === undefined || recipes.length !== 1) {
    throw new Error(`${recipes.length} recipes, unread: ${JSON.stringify(unread)}`);
  }
  return recipe;
}

/** The Problem that an action throws, as `code: message`; anything else is passed on. */
export function problemOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof Problem) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "no Problem";
}
