import type { Recipe } from "../domain/recipe.ts";
import { commandLines, withoutComment } from "./command-lines.ts";
import type { Line } from "./command-lines.ts";
import type { Place, Reading, Side } from "./types.ts";

/** A flag of a command as it is written, without its value. */
export function flagPattern(...names: readonly string[]): RegExp {
  return new RegExp(String.raw`(?:^|[\s"'\[,])--(?:${names.join("|")})(?=[\s"'=,\]]|$)`);
}

export function holds(pattern: RegExp, text: string): boolean {
  return pattern.test(withoutComment(text));
}

/** Lines of a recipe's build command in the head. */
export function linesOf(reading: Reading, recipe: Recipe, side: Side = "head"): Line[] {
  return commandLines(recipe, reading[side], reading.read(side, recipe.file));
}

/**
 * The line of the diff for something that a command says: where it is said, the only added line that says it where the
 * command takes it from a variable, else the nearest added line of the command. Null where there is none. Of several
 * lines that say it, the one that names `reference`.
 */
export function placeInCommand(
  reading: Reading,
  recipe: Recipe,
  what: string,
  pattern: RegExp,
  reference = "",
): Place | null {
  const command = linesOf(reading, recipe);
  const said = sayingLine(command, pattern, reference);
  if (said !== undefined && reading.diff.has("head", recipe.file, said.line))
    return at(recipe.file, said.line);
  if (said === undefined) {
    const outside = reading.diff.all("head").filter(({ text }) => holds(pattern, text));
    const [only] = outside;
    if (only !== undefined && outside.length === 1) return at(only.file, only.line);
  }
  const nearest = nearestAdded(reading, recipe, command, said?.line ?? recipe.line);
  if (nearest === null) return null;
  return { ...nearest, elsewhere: said === undefined ? null : `${what} stands in line ${said.line}` };
}

function sayingLine(command: readonly Line[], pattern: RegExp, reference: string): Line | undefined {
  const saying = command.filter(({ text }) => holds(pattern, text));
  return saying.find(({ text }) => reference !== "" && text.includes(reference)) ?? saying[0];
}

/** The added line of a command that is nearest to its start: for what the command does not say. */
export function placeOfCommand(reading: Reading, recipe: Recipe): Place | null {
  return nearestAdded(reading, recipe, linesOf(reading, recipe), recipe.line);
}

function nearestAdded(
  reading: Reading,
  recipe: Recipe,
  command: readonly Line[],
  line: number,
): Place | null {
  const added = command.filter((each) => reading.diff.has("head", recipe.file, each.line));
  const [nearest] = added.toSorted((a, b) => Math.abs(a.line - line) - Math.abs(b.line - line));
  return nearest === undefined ? null : at(recipe.file, nearest.line);
}

/**
 * The line of the diff for a reference that a flag gives: where the command names a variable, and an added line of the
 * same file sets it to such a reference, that line; else the flag's own.
 */
export function placeOfReference(
  reading: Reading,
  recipe: Recipe,
  what: string,
  pattern: RegExp,
  reference: string,
): Place | null {
  const text = sayingLine(linesOf(reading, recipe), pattern, reference)?.text ?? "";
  const behind = text.slice(text.search(pattern));
  const name = /^\W*[\w-]+(?:=|\s+)["']?(?:[\w=,-]*ref=)?\$\{?(\w+)/.exec(behind)?.[1] ?? null;
  const parts = reference.split(/[/:]/).filter((part) => part !== "" && !part.startsWith("$"));
  const sets = new RegExp(String.raw`(?:^|[\s"'])${name}["']?(?:=|:\s)`);
  const lines = name === null ? [] : reading.diff.lines("head", recipe.file);
  const setting = lines.filter(
    (each) => sets.test(each.text) && parts.some((part) => each.text.includes(part)),
  );
  const defined = nearestOf(setting, recipe.line);
  if (defined !== undefined) return at(recipe.file, defined.line);
  return placeInCommand(reading, recipe, what, pattern, reference);
}

/** The changed line that names something of a job: in the recipe's own file the nearest before its command, else the only one. */
export function placeOfText(reading: Reading, recipe: Recipe, side: Side, pattern: RegExp): Place | null {
  const own = reading.diff.lines(side, recipe.file).filter(({ text }) => holds(pattern, text));
  const nearest = nearestOf(own, recipe.line);
  if (nearest !== undefined) return { ...at(recipe.file, nearest.line), side };
  const others = reading.diff.all(side).filter(({ text }) => holds(pattern, text));
  const [only] = others;
  return only === undefined || others.length > 1 ? null : { ...at(only.file, only.line), side };
}

/** The last line before a command; the first one behind it where there is none. */
function nearestOf<T extends { line: number }>(lines: readonly T[], line: number): T | undefined {
  return lines.findLast((each) => each.line <= line) ?? lines[0];
}

function at(file: string, line: number): Place {
  return { file, line, side: "head", elsewhere: null };
}

/** Flags that name where a cache is written, and where it is read. */
export const CACHE_TO = flagOrKey("cache-to", "export-cache", "cache-repo");
export const CACHE_FROM = flagOrKey("cache-from", "import-cache");

/** A flag, or the input of an action, the attribute of a bake file or the override of the same name. */
function flagOrKey(...names: readonly string[]): RegExp {
  const key = String.raw`(?:^|[\s"'.{-])(?:${names.join("|")})["']?\s*(?::|\+?=)`;
  return new RegExp(`${flagPattern(...names).source}|${key}`);
}

/** The added line that names an image of a job. */
export function placeOfImage(reading: Reading, recipe: Recipe, image: string): Place | null {
  const written = RegExp.escape(image).replace(/^\\\$(\w+)/, String.raw`\$\{?$1\}?`);
  return placeOfText(
    reading,
    recipe,
    "head",
    new RegExp(String.raw`(?:^|[\s"'=\[])${written}(?=["']?\s*(?:[,}\]]|$))`),
  );
}
