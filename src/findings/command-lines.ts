import type { Recipe } from "../domain/recipe.ts";

/** Numbered lines of a text; numbers are 1-based. */
export type Line = { line: number; text: string };

/** A list item, or a key with a value behind it: what is indented further belongs to it. */
const ITEM = /^(\s*)(?:- |[\w.-]+:\s+\S)/;

/**
 * Lines of a build command in the file that holds it: those of its list item, or of its shell line with all that
 * follows a backslash, up to the next build. `recipes` are all of the same tree.
 */
export function commandLines(recipe: Recipe, recipes: readonly Recipe[], file: string | null): Line[] {
  const lines = file?.split("\n") ?? [];
  const first = lines[recipe.line - 1];
  if (first === undefined) return [];
  const starts = new Set(
    recipes.filter((other) => other.file === recipe.file && other.line > recipe.line).map(({ line }) => line),
  );
  const belongs = ITEM.test(first) ? belongsToItem(first) : belongsToShell(lines, recipe.line);
  const taken: Line[] = [{ line: recipe.line, text: first }];
  for (let line = recipe.line + 1; line <= lines.length; line += 1) {
    const text = lines[line - 1] ?? "";
    const before = taken.at(-1)?.text ?? "";
    if (starts.has(line) || !belongs(text, before)) break;
    taken.push({ line, text });
  }
  return taken;
}

type Belongs = (text: string, before: string) => boolean;

function belongsToItem(first: string): Belongs {
  const indentation = indentationOf(first);
  return (text) => text.trim() !== "" && indentationOf(text) > indentation;
}

/**
 * In a folded block (`>`) a command ends with its paragraph, in a list item that began earlier with the item, elsewhere with
 * a line that no backslash continues.
 */
function belongsToShell(lines: readonly string[], at: number): Belongs {
  const indentation = indentationOf(lines[at - 1] ?? "");
  const head =
    lines.slice(0, at - 1).findLast((text) => text.trim() !== "" && indentationOf(text) < indentation) ?? "";
  if (/>[-+\d]*\s*$/.test(head)) return (text) => text.trim() !== "" && indentationOf(text) >= indentation;
  if (ITEM.test(head) && !/\|[-+\d]*\s*$/.test(head)) return belongsToItem(head);
  return (_text, before) => before.trimEnd().endsWith("\\");
}

function indentationOf(text: string): number {
  return text.length - text.trimStart().length;
}

/** The part of a line that is no comment, of YAML or of a shell. */
export function withoutComment(text: string): string {
  return text.replace(/(?:^|\s)#.*$/, "");
}
