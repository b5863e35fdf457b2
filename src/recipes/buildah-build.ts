import type { Recipe } from "../domain/recipe.ts";
import { besideContext, contextOperand, contextPath, givenOrBelow } from "./build-inputs.ts";
import { outputOf } from "./cache-flags.ts";
import { BUILDAH_BUILD } from "./flag-tables.ts";
import { isOn, parseFlags, valuesOf } from "./flags.ts";
import type { Flag } from "./flags.ts";
import type { JobReading } from "./job-reading.ts";
import { draftRecipe, environmentSwitch, resolved, setCache, unresolve } from "./recipe-draft.ts";
import type { Draft } from "./recipe-draft.ts";
import type { ShellCommand } from "./shell-session.ts";
import type { Field } from "./shell-words.ts";
import { joinTreePath } from "./tree-path.ts";
import { known, literal } from "./value.ts";

/** Reads `buildah build` (`bud`) and `podman build`; a text says why it is no recipe. `words` are those after `build`. */
export function readBuildahBuild(
  reading: JobReading,
  command: ShellCommand,
  words: readonly Field[],
  program: "buildah build" | "podman build",
): Draft | string {
  const { flags, operands, doubtful } = parseFlags(words, BUILDAH_BUILD);
  if (isOn(flags, "help") === true) return "it builds nothing";
  const recipe = draftRecipe(reading.frame, command, { builder: "buildah", program }, flags);
  // Both take the working directory where no context is named.
  const named = operands.length === 0 ? [{ value: known("."), loose: false }] : operands;
  const context = contextOperand(recipe, named, doubtful);
  recipe.context = context === null ? null : contextPath(recipe, command, context);
  recipe.dockerfile = dockerfileOf(recipe, reading, command, flags);
  if (valuesOf(flags, "build-arg-file").length > 0)
    unresolve(recipe, "build-arg", "--build-arg-file: build arguments stand in a file");
  const names = [...valuesOf(flags, "tag"), ...valuesOf(flags, "manifest")].map((value) =>
    resolved(recipe, "image", value),
  );
  setLayers(recipe, command, flags, program);
  const outputs = valuesOf(flags, "output").map(outputOf);
  const [files] = outputs;
  if (files !== undefined) unresolve(recipe, "push", `the image stays in files: --output type=${files.type}`);
  const store = files === undefined ? "containers" : "none";
  return { recipe, names, store, conditions: command.conditions };
}

function dockerfileOf(
  recipe: Recipe,
  reading: JobReading,
  command: ShellCommand,
  flags: readonly Flag[],
): string | null {
  const files = valuesOf(flags, "file");
  const [file] = files;
  if (files.length > 1) {
    unresolve(recipe, "dockerfile", "several files are put together");
    return null;
  }
  if (file === undefined) {
    const container = recipe.context === null ? null : joinTreePath(recipe.context, "Containerfile");
    if (container !== null && reading.tree.read(container) !== null) return container;
    return besideContext(recipe, "Dockerfile");
  }
  if (/^(?:-|\/dev\/stdin)$/.test(literal(file) ?? "")) {
    unresolve(recipe, "dockerfile", "the Dockerfile is read from standard input");
    return null;
  }
  return givenOrBelow(recipe, command, file, reading.tree);
}

/** `--layers` makes the cache; without it `--cache-from` and `--cache-to` are ignored. */
function setLayers(recipe: Recipe, command: ShellCommand, flags: readonly Flag[], program: string): void {
  const from = valuesOf(flags, "cache-from").map((value) => resolved(recipe, "cache-from", value));
  const to = valuesOf(flags, "cache-to").map((value) => resolved(recipe, "cache-to", value));
  if (from.length + to.length === 0) return;
  const environment = environmentSwitch(command, "BUILDAH_LAYERS");
  const options = [...from, ...to].find((value) => value.includes("type="));
  if (options !== undefined) {
    unresolve(recipe, "strategy", `${options} is no repository: buildah takes no options there`);
    return;
  }
  const layers = isOn(flags, "layers", environment ?? program === "podman build");
  if (layers === null) unresolve(recipe, "strategy", "the value of --layers is not known");
  if (isOn(flags, "no-cache") === true) {
    unresolve(recipe, "strategy", "--no-cache: what is written to --cache-to is not known");
  } else if (layers === false) {
    unresolve(recipe, "strategy", "--cache-from and --cache-to are ignored without --layers");
  } else if (layers === true) {
    setCache(recipe, "layers");
    recipe.cacheFrom.push(...from);
    recipe.cacheTo.push(...to);
    recipe.cacheToOptions.push(...to.map(() => ({})));
  }
}
