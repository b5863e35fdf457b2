import type { Recipe } from "../domain/recipe.ts";
import { DOCKER_BUILD } from "./flag-tables.ts";
import { isOn, parseFlags, truth, valuesOf } from "./flags.ts";
import type { Flag } from "./flags.ts";
import { draftRecipe, environmentSwitch, resolved, setCache, unresolve } from "./recipe-draft.ts";
import type { Draft, JobFrame } from "./recipe-draft.ts";
import type { ShellCommand } from "./shell-session.ts";
import type { Field } from "./shell-words.ts";
import { joinTreePath, treePath } from "./tree-path.ts";
import { cutText, literal, reasons, render } from "./value.ts";
import type { Value } from "./value.ts";

/** Reads `docker build`; a text says why it is no recipe. `words` are those after `build`. */
export function readDockerBuild(
  frame: JobFrame,
  command: ShellCommand,
  words: readonly Field[],
): Draft | string {
  const { flags, operands } = parseFlags(words, DOCKER_BUILD);
  if (isOn(flags, "help") === true || isOn(flags, "check") === true) return "it builds nothing";
  const exports = valuesOf(flags, "cache-to").map(cacheOptions);
  const foreign = exports.find((options) => options.get("type") !== "inline");
  if (foreign !== undefined) {
    return `--cache-to type=${foreign.get("type") ?? "registry"} is a cache strategy that is not read yet`;
  }
  const recipe = draftRecipe(frame, command, "docker", flags);
  setContext(recipe, command, flags, operands);
  const tags = valuesOf(flags, "tag").map((value) => resolved(recipe, "image", value));
  const inline = exports.length > 0 || inlineArgument(command, flags);
  setStrategy(recipe, command, flags, inline);
  if (isOn(flags, "push") === true || valuesOf(flags, "output").some(pushes)) recipe.images.push(...tags);
  return { recipe, names: tags };
}

function setStrategy(recipe: Recipe, command: ShellCommand, flags: readonly Flag[], inline: boolean): void {
  const noCache = isOn(flags, "no-cache");
  if (noCache === null) unresolve(recipe, "strategy", "the value of --no-cache is not known");
  if (noCache === true) return;
  for (const value of valuesOf(flags, "cache-from")) recipe.cacheFrom.push(...cacheSources(recipe, value));
  if (!inline) return;
  if (environmentSwitch(command, "DOCKER_BUILDKIT") === false) {
    unresolve(
      recipe,
      "strategy",
      "DOCKER_BUILDKIT=0 selects the older builder, which writes no inline cache",
    );
  } else setCache(recipe, "inline");
}

/** `--build-arg BUILDKIT_INLINE_CACHE=1`; without `=` its value comes from the environment. */
function inlineArgument(command: ShellCommand, flags: readonly Flag[]): boolean {
  const name = "BUILDKIT_INLINE_CACHE";
  const value = valuesOf(flags, "build-arg").findLast((argument) => {
    const [first] = argument;
    return first?.kind === "text" && (first.text === name || first.text.startsWith(`${name}=`));
  });
  if (value === undefined) return false;
  if (literal(value) === name) return environmentSwitch(command, name) === true;
  return truth(cutText(value, name.length + 1).tail) === true;
}

function setContext(
  recipe: Recipe,
  command: ShellCommand,
  flags: readonly Flag[],
  operands: readonly Field[],
): void {
  // An unknown word may be flags, unless it is the only one: a build wants a context.
  const named = operands.length === 1 ? operands : operands.filter((operand) => !operand.loose);
  for (const operand of operands) if (!named.includes(operand)) resolved(recipe, "flags", operand.value);
  const [context, ...more] = named;
  if (context === undefined) unresolve(recipe, "context", "the command names no context");
  else if (more.length > 0)
    unresolve(recipe, "context", `several contexts: ${named.map((field) => render(field.value)).join(" ")}`);
  else recipe.context = contextPath(recipe, command, context.value);
  const file = valuesOf(flags, "file").at(-1);
  if (file === undefined) {
    if (recipe.context === null)
      unresolve(recipe, "dockerfile", "the Dockerfile is part of a context that is not known");
    else recipe.dockerfile = joinTreePath(recipe.context, "Dockerfile");
  } else if (literal(file) === "-")
    unresolve(recipe, "dockerfile", "the Dockerfile is read from standard input");
  else {
    const found = treePath(file, command.directory);
    if (found.path === null) unresolve(recipe, "dockerfile", found.why);
    recipe.dockerfile = found.path;
  }
}

function contextPath(recipe: Recipe, command: ShellCommand, context: Value): string | null {
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

/** `type=registry,ref=X` as a map. */
function cacheOptions(value: Value): ReadonlyMap<string, string> {
  const text = render(value);
  if (!/(?:^|,)type=/.test(text)) return new Map([["ref", text]]);
  return new Map(
    text.split(",").map((option): [string, string] => {
      const equals = option.indexOf("=");
      return equals === -1 ? [option, ""] : [option.slice(0, equals), option.slice(equals + 1)];
    }),
  );
}

/** References of one `--cache-from`: a list, or one source with options. */
function cacheSources(recipe: Recipe, value: Value): string[] {
  const options = cacheOptions(value);
  for (const why of reasons(value)) unresolve(recipe, "cache-from", why);
  if (!options.has("type"))
    return render(value)
      .split(",")
      .filter((reference) => reference !== "");
  const reference = options.get("ref");
  if (options.get("type") === "registry" && reference !== undefined) return [reference];
  unresolve(recipe, "cache-from", `${render(value)} is not a reference of a registry`);
  return [];
}

/** Whether `--output` pushes. */
function pushes(value: Value): boolean {
  const options = cacheOptions(value);
  return options.get("type") === "registry" || options.get("push") === "true";
}
