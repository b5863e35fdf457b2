import type { Recipe } from "../domain/recipe.ts";
import { KANIKO } from "./flag-tables.ts";
import { isOn, parseFlags, valuesOf } from "./flags.ts";
import type { Flag } from "./flags.ts";
import { draftRecipe, repositoryOf, resolved, setCache, unresolve } from "./recipe-draft.ts";
import type { Draft, JobFrame } from "./recipe-draft.ts";
import type { ShellCommand } from "./shell-session.ts";
import type { Field } from "./shell-words.ts";
import { joinTreePath, treePath } from "./tree-path.ts";
import type { TreeFiles } from "./types.ts";
import { cutText, known, literal, render } from "./value.ts";

/** Reads a call of kaniko's executor; a text says why it is no recipe. `words` are those after the program. */
export function readKanikoBuild(
  frame: JobFrame,
  command: ShellCommand,
  words: readonly Field[],
  tree: TreeFiles,
): Draft | string {
  const { flags, operands } = parseFlags(words, KANIKO);
  if (isOn(flags, "help") === true || literal(operands[0]?.value ?? []) === "version")
    return "it builds nothing";
  const recipe = draftRecipe(frame, command, "kaniko", flags);
  for (const operand of operands) {
    if (operand.loose) resolved(recipe, "flags", operand.value);
    else unresolve(recipe, "flags", `${render(operand.value)} belongs to no flag: kaniko does not read it`);
  }
  recipe.context = contextOf(recipe, command, flags);
  recipe.dockerfile = dockerfileOf(recipe, command, flags, tree);
  const names = valuesOf(flags, "destination").map((value) => resolved(recipe, "image", value));
  if (isOn(flags, "no-push") !== true) recipe.images.push(...names);
  else unresolve(recipe, "push", "--no-push: the image stays where it is built");
  setCaches(recipe, flags, names);
  return { recipe, names };
}

function contextOf(recipe: Recipe, command: ShellCommand, flags: readonly Flag[]): string | null {
  const written = valuesOf(flags, "context").at(-1);
  if (written === undefined) return null;
  const [first] = written;
  const directory = first?.kind === "text" && first.text.startsWith("dir://");
  const context = directory ? cutText(written, "dir://".length).tail : written;
  const found = /:\/\//.test(render(context))
    ? { path: null, why: `${render(context)} is not in the tree` }
    : treePath(context, command.directory);
  if (found.path === null) {
    unresolve(recipe, "context", found.why);
    return null;
  }
  const below = valuesOf(flags, "context-sub-path").at(-1);
  if (below === undefined) return found.path;
  // A leading slash is no root: the path is read below the context.
  const path = literal(below);
  const joined = path === null ? null : joinTreePath(found.path, path);
  if (joined === null) unresolve(recipe, "context", `${render(below)} is not a path below the context`);
  return joined;
}

/** kaniko takes the path as given, and below the context where there is no such file. */
function dockerfileOf(
  recipe: Recipe,
  command: ShellCommand,
  flags: readonly Flag[],
  tree: TreeFiles,
): string | null {
  const written = valuesOf(flags, "dockerfile").at(-1) ?? known("Dockerfile");
  const given = treePath(written, command.directory);
  if (given.path !== null && tree.read(given.path) !== null) return given.path;
  const path = literal(written);
  const below = recipe.context === null || path === null ? null : joinTreePath(recipe.context, path);
  if (below !== null && tree.read(below) !== null) return below;
  if (given.path === null) unresolve(recipe, "dockerfile", given.why);
  return given.path;
}

function setCaches(recipe: Recipe, flags: readonly Flag[], names: readonly string[]): void {
  const on = isOn(flags, "cache");
  if (on === null) unresolve(recipe, "strategy", "the value of --cache is not known");
  if (on !== true) return;
  setCache(recipe, "layers");
  const written = valuesOf(flags, "cache-repo").at(-1);
  const first = names[0];
  const repository =
    written === undefined
      ? first === undefined
        ? null
        : `${repositoryOf(first)}/cache`
      : resolved(recipe, "cache-to", written);
  if (repository === null) {
    unresolve(recipe, "cache-to", "neither --cache-repo nor --destination names a repository");
    return;
  }
  recipe.cacheFrom.push(repository);
  if (isOn(flags, "no-push-cache") !== true) recipe.cacheTo.push(repository);
}
