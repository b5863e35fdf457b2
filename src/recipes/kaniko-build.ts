import type { Recipe } from "../domain/recipe.ts";
import { givenOrBelow, noteStrays } from "./build-inputs.ts";
import { KANIKO } from "./flag-tables.ts";
import { isOn, parseFlags, valuesOf } from "./flags.ts";
import type { Flag } from "./flags.ts";
import type { JobReading } from "./job-reading.ts";
import { draftRecipe, resolved, setCache, unresolve } from "./recipe-draft.ts";
import type { Draft, JobFrame } from "./recipe-draft.ts";
import type { ShellCommand } from "./shell-session.ts";
import type { Field } from "./shell-words.ts";
import { joinTreePath, treePath } from "./tree-path.ts";
import { cutText, known, literal, render } from "./value.ts";
import { splitReference } from "../domain/image-reference.ts";

/** Whether a command is kaniko's executor: by its path, by its name in an image of kaniko, or by its flags. */
export function isKaniko(path: string, words: readonly Field[], frame: JobFrame): boolean {
  if (/^(?:.*\/)?kaniko\/executor$/.test(path)) return true;
  if (!/^(?:executor|\/usr\/(?:local\/)?bin\/executor)$/.test(path)) return false;
  if ((frame.runsIn ?? "").includes("kaniko")) return true;
  const { flags } = parseFlags(words, KANIKO);
  const given = new Set(flags.map((flag) => flag.name));
  return given.has("destination") && (given.has("context") || given.has("dockerfile"));
}

/** Reads a call of kaniko's executor; a text says why it is no recipe. `words` are those after the program. */
export function readKanikoBuild(
  reading: JobReading,
  command: ShellCommand,
  words: readonly Field[],
): Draft | string {
  const { flags, operands } = parseFlags(words, KANIKO);
  if (isOn(flags, "help") === true || literal(operands[0]?.value ?? []) === "version")
    return "it builds nothing";
  const kaniko = { builder: "kaniko", program: "/kaniko/executor" } as const;
  const recipe = draftRecipe(reading.frame, command, kaniko, flags);
  noteStrays(recipe, operands, "kaniko");
  recipe.context = contextOf(recipe, command, flags);
  const dockerfile = valuesOf(flags, "dockerfile").at(-1) ?? known("Dockerfile");
  recipe.dockerfile = givenOrBelow(recipe, command, dockerfile, reading.tree);
  const names = valuesOf(flags, "destination").map((value) => resolved(recipe, "image", value));
  const noPush = isOn(flags, "no-push");
  if (noPush === null) unresolve(recipe, "push", "the value of --no-push is not known");
  if (noPush !== true) recipe.images.push(...names);
  else unresolve(recipe, "push", "--no-push: the image stays where it is built");
  const archive = valuesOf(flags, "tar-path").concat(valuesOf(flags, "tarPath")).at(-1);
  if (noPush === true && archive !== undefined)
    unresolve(recipe, "push", `--tar-path: the image is left in ${render(archive)}`);
  setCaches(recipe, flags, names);
  return { recipe, names, store: "none", conditions: command.conditions };
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
        : `${splitReference(first).repository}/cache`
      : resolved(recipe, "cache-to", written);
  if (repository === null) {
    unresolve(recipe, "cache-to", "neither --cache-repo nor --destination names a repository");
    return;
  }
  if (repository.startsWith("oci:")) {
    unresolve(recipe, "cache-to", `${repository} is a directory of the runner, not a repository`);
    return;
  }
  recipe.cacheFrom.push(repository);
  if (isOn(flags, "no-push-cache") === true) return;
  recipe.cacheTo.push(repository);
  recipe.cacheToOptions.push({});
}
