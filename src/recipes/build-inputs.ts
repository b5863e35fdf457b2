import type { Recipe } from "../domain/recipe.ts";
import type { ParsedFlags } from "./flags.ts";
import { resolved, unresolve } from "./recipe-draft.ts";
import type { ShellCommand } from "./shell-session.ts";
import type { Field } from "./shell-words.ts";
import { joinTreePath, treePath } from "./tree-path.ts";
import type { TreeFiles } from "./types.ts";
import { literal, render } from "./value.ts";
import type { Value } from "./value.ts";

/**
 * The only operand of a build as its context; unknown words are named. Null where there is none, or where it may
 * as well be the value of a flag that is not known.
 */
export function contextOperand(
  recipe: Recipe,
  all: readonly Field[],
  doubtful: ParsedFlags["doubtful"],
): Value | null {
  // A build takes one context: beside another word, one behind an unknown flag is that flag's value.
  const sure = all.filter((operand) => !doubtful.has(operand));
  const flag = all.flatMap((operand) => doubtful.get(operand) ?? [])[0];
  if (sure.length === 0 && flag !== undefined) {
    const written = all.map((field) => render(field.value)).join(" ");
    unresolve(recipe, "context", `${written} may be the value of ${flag}, which is not known`);
    return null;
  }
  const operands = sure;
  // An unknown word may be flags, unless it is the only one: a build wants a context.
  const named = operands.length === 1 ? operands : operands.filter((operand) => !operand.loose);
  for (const operand of operands) if (!named.includes(operand)) resolved(recipe, "flags", operand.value);
  const [context, ...more] = named;
  if (context !== undefined && more.length === 0) return context.value;
  const several = named.map((field) => render(field.value)).join(" ");
  const why = context === undefined ? "the command names no context" : `several contexts: ${several}`;
  unresolve(recipe, "context", why);
  return null;
}

/** Names operands of a program that reads none; an unknown word may be flags. */
export function noteStrays(recipe: Recipe, operands: readonly Field[], program: string): void {
  for (const operand of operands) {
    if (operand.loose) resolved(recipe, "flags", operand.value);
    else
      unresolve(recipe, "flags", `${render(operand.value)} belongs to no flag: ${program} does not read it`);
  }
}

/** Path of a context that is a directory of the tree. */
export function contextPath(recipe: Recipe, command: ShellCommand, context: Value): string | null {
  const written = render(context);
  if (written === "-") unresolve(recipe, "context", "the context is read from standard input");
  else if (/:\/\/|^git@|^github\.com\//.test(written))
    unresolve(recipe, "context", `${written} is not in the tree`);
  else {
    const found = treePath(context, command.directory);
    if (found.path !== null) return found.path;
    unresolve(recipe, "context", found.why);
  }
  return null;
}

/** Dockerfile of `docker build`: as `--file` says, from the working directory, else in the context. */
export function dockerfilePath(
  recipe: Recipe,
  command: ShellCommand,
  file: Value | undefined,
): string | null {
  if (file === undefined) return besideContext(recipe, "Dockerfile");
  if (literal(file) === "-") {
    unresolve(recipe, "dockerfile", "the Dockerfile is read from standard input");
    return null;
  }
  if (/^https?:\/\//.test(render(file))) {
    unresolve(recipe, "dockerfile", `${render(file)} is not in the tree`);
    return null;
  }
  const found = treePath(file, command.directory);
  if (found.path === null) unresolve(recipe, "dockerfile", found.why);
  return found.path;
}

/** A file in the context's directory. */
export function besideContext(recipe: Recipe, name: string): string | null {
  if (recipe.context !== null) return joinTreePath(recipe.context, name);
  unresolve(recipe, "dockerfile", "the Dockerfile is part of a context that is not known");
  return null;
}

/** Dockerfile of kaniko and buildah: the path as given, and below the context where there is no such file. */
export function givenOrBelow(
  recipe: Recipe,
  command: ShellCommand,
  written: Value,
  tree: TreeFiles,
): string | null {
  const given = treePath(written, command.directory);
  if (given.path !== null && tree.read(given.path) !== null) return given.path;
  const path = literal(written);
  const below = recipe.context === null || path === null ? null : joinTreePath(recipe.context, path);
  if (below !== null && tree.read(below) !== null) return below;
  if (given.path === null) unresolve(recipe, "dockerfile", given.why);
  return given.path;
}
