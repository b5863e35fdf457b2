import type { Change } from "../../src/domain/change.ts";
import type { Finding } from "../../src/domain/finding.ts";
import { findingsOf } from "../../src/findings/index.ts";
import type { FindingInput } from "../../src/findings/types.ts";
import { compareRecipes } from "../../src/recipes/compare.ts";
import { readRecipes } from "../../src/recipes/read-recipes.ts";
import { treeOf } from "../recipes/trees.ts";

const NOBODY = { name: "", address: "" };
const TREE = { commit: null, tree: "" };

/** Files of a change as a diff shows them: each line starts with a space, `-` or `+`. */
export type Marked = Record<string, string>;

/** What findings are made of a change that is written as its own diff. */
export function inputOf(marked: Marked): FindingInput {
  const sides = { base: textsOf(marked, "-"), head: textsOf(marked, "+") };
  const base = readRecipes(treeOf(sides.base));
  const head = readRecipes(treeOf(sides.head));
  const { changed } = compareRecipes(base.recipes, head.recipes, head.jobs);
  return {
    change: changeOf(marked, sides),
    base: base.recipes,
    head: head.recipes,
    changed,
    read: (side, path) => sides[side][path] ?? null,
  };
}

/** Findings of a change, as `file:line side id` with their sentences. */
export function toldOf(marked: Marked): string[] {
  return findingsOf(inputOf(marked)).map(written);
}

function written({ id, file, line, side, text }: Finding): string {
  return `${file}:${line} ${side} ${id}: ${text}`;
}

function textsOf(marked: Marked, mark: "-" | "+"): Record<string, string> {
  const sides = Object.entries(marked).map(([path, diff]): [string, string[]] => {
    const lines = diff.split("\n").filter((line) => line.startsWith(" ") || line.startsWith(mark));
    return [path, lines.map((line) => `${line.slice(1)}\n`)];
  });
  return Object.fromEntries(
    sides.filter(([, lines]) => lines.length > 0).map(([path, lines]) => [path, lines.join("")]),
  );
}

function changeOf(marked: Marked, sides: Record<"base" | "head", Record<string, string>>): Change {
  const files = Object.entries(marked)
    .filter(([, diff]) => /^[-+]/m.test(diff))
    .map(([path, diff]) => ({
      oldPath: Object.hasOwn(sides.base, path) ? path : null,
      newPath: Object.hasOwn(sides.head, path) ? path : null,
      hunks: `@@ -1 +1 @@\n${diff}`,
    }));
  return {
    id: "1",
    title: "",
    author: NOBODY,
    message: "",
    trust: "stranger",
    base: TREE,
    baseChosenBy: "",
    head: TREE,
    files,
  };
}

/** A text of which nothing is changed. */
export function same(text: string): string {
  return text.replaceAll(/^/gm, " ");
}
