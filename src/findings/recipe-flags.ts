import type { Recipe } from "../domain/recipe.ts";
import { splitReference } from "../domain/image-reference.ts";

/** Value of a flag, the last one that is given; "" where it has none, null where it is not given. */
export function flagValue(recipe: Recipe, name: string): string | null {
  const flag = recipe.flags.findLast((each) => each === `--${name}` || each.startsWith(`--${name}=`));
  return flag === undefined ? null : flag.slice(name.length + 3);
}

/** Whether a switch is surely on; as Go reads it. */
export function isOn(recipe: Recipe, name: string): boolean {
  return /^(?:|1|t|T|TRUE|true|True)$/.test(flagValue(recipe, name) ?? "false");
}

/** Whether nothing of these parts of a recipe is unresolved: only then it may be said that something is missing. */
export function isSure(recipe: Recipe, ...parts: readonly string[]): boolean {
  return !recipe.unresolved.some(({ part }) => part === "flags" || parts.includes(part));
}

/** Whether the text of a command has words of its own that are a variable: they may be flags. */
export function hasLooseWords(lines: readonly { text: string }[]): boolean {
  const words = lines.flatMap(({ text }) => text.trim().split(/\s+/)).filter((word) => word !== "\\");
  return words.some((word, index) => {
    const before = words[index - 1] ?? "";
    return /^["']?\$/.test(word) && (before === "" || !before.startsWith("-") || /=/.test(before));
  });
}

/** Whether a reference names more than a repository. */
export function isTagged(reference: string): boolean {
  const { tag, digest } = splitReference(reference);
  return tag !== null || digest !== null;
}

/** Whether two references are one tag: without a tag `latest` is meant. */
export function isSameTag(a: string, b: string): boolean {
  const [left, right] = [splitReference(a), splitReference(b)];
  return left.repository === right.repository && (left.tag ?? "latest") === (right.tag ?? "latest");
}

/** Images that a job runs in or beside. */
export function jobImages(recipe: Recipe | null): string[] {
  return recipe === null ? [] : [recipe.runsIn, ...recipe.services].filter((image) => image !== null);
}

/** Whether an image's tag names no version: none, or one without a digit. A variable may name one. */
export function isFloating(image: string): boolean {
  const { tag, digest } = splitReference(image);
  return digest === null && !/[\d$]/.test(tag ?? "");
}
