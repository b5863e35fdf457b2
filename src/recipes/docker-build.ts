import type { Recipe } from "../domain/recipe.ts";
import { contextOperand, contextPath, dockerfilePath } from "./build-inputs.ts";
import { chooseBuilder } from "./buildx-instances.ts";
import { addCacheSources, addCacheTargets, outputOf } from "./cache-flags.ts";
import { DOCKER_BUILD } from "./flag-tables.ts";
import { isOn, parseFlags, truth, valuesOf } from "./flags.ts";
import type { Flag } from "./flags.ts";
import type { JobReading } from "./job-reading.ts";
import { draftRecipe, environmentSwitch, resolved, setCache, unresolve } from "./recipe-draft.ts";
import type { Draft } from "./recipe-draft.ts";
import type { ShellCommand } from "./shell-session.ts";
import type { Field } from "./shell-words.ts";
import { cutText, literal, reasons, render } from "./value.ts";

/**
 * Reads `docker build`, `docker buildx build` and one target of `docker buildx bake`; a text says why it is no recipe. `words` are those after `build`,
 * and flags of `docker buildx` itself.
 */
export function readDockerBuild(
  reading: JobReading,
  command: ShellCommand,
  words: readonly Field[],
  program: "docker build" | "docker buildx build" | "docker buildx bake",
): Draft | string {
  const { flags, operands, doubtful } = parseFlags(words, DOCKER_BUILD);
  if (isOn(flags, "help") === true || isOn(flags, "check") === true) return "it builds nothing";
  const call = valuesOf(flags, "call").map(render);
  if (call.some((method) => method !== "build")) return "it builds nothing";
  const isBuildx = program !== "docker build";
  const { builder, why } = chooseBuilder(reading.buildx, command, flags, isBuildx);
  const recipe = draftRecipe(reading.frame, command, { builder, program }, flags);
  if (why !== null) unresolve(recipe, "builder", why);
  const context = contextOperand(recipe, operands, doubtful);
  recipe.context = context === null ? null : contextPath(recipe, command, context);
  recipe.dockerfile = dockerfilePath(recipe, command, valuesOf(flags, "file").at(-1));
  const tags = valuesOf(flags, "tag").map((value) => resolved(recipe, "image", value));
  setStrategy(recipe, command, flags, isBuildx);
  return finishOutput(recipe, command, flags, tags);
}

/** What is pushed by the build itself, and where the image is afterwards. */
function finishOutput(recipe: Recipe, command: ShellCommand, flags: readonly Flag[], tags: string[]): Draft {
  const outputs = valuesOf(flags, "output").map(outputOf);
  const named = outputs.flatMap((output) => output.names);
  const names = named.length > 0 ? named : tags;
  const push = isOn(flags, "push");
  if (push === null) {
    const why = valuesOf(flags, "push").flatMap(reasons)[0];
    unresolve(recipe, "push", `the value of --push is not known${why === undefined ? "" : `: ${why}`}`);
  }
  if (push === true || outputs.some((output) => output.pushes)) recipe.images.push(...names);
  const inEngine = recipe.builder === "docker" && outputs.length === 0 && push !== true;
  const loaded = inEngine || isOn(flags, "load") === true || outputs.some((output) => output.loads);
  const files = outputs.find((output) => !output.pushes && !output.loads && output.type !== "image");
  if (!loaded && recipe.images.length === 0) {
    const isPushed = push === true || outputs.some((output) => output.pushes);
    const where = files === undefined ? "in its builder" : `in files: --output type=${files.type}`;
    const missing = files === undefined && push !== null ? ": neither --push nor --load is given" : "";
    const why = isPushed
      ? "the image is pushed without a name that is known"
      : `the image stays ${where}${missing}`;
    unresolve(recipe, "push", why);
  }
  return { recipe, names, store: loaded ? "docker" : "none", conditions: command.conditions };
}

function setStrategy(recipe: Recipe, command: ShellCommand, flags: readonly Flag[], isBuildx: boolean): void {
  const noCache = isOn(flags, "no-cache");
  if (noCache === null) unresolve(recipe, "strategy", "the value of --no-cache is not known");
  if (noCache !== true) addCacheSources(recipe, valuesOf(flags, "cache-from"));
  const exported = addCacheTargets(recipe, valuesOf(flags, "cache-to"));
  if (!exported && inlineArgument(command, flags)) setCache(recipe, "inline");
  const older = isBuildx ? null : olderBuilder(recipe, command);
  if (recipe.strategy.endsWith("/inline")) {
    if (noCache === true) setCache(recipe, "none");
    else if (older !== null) {
      setCache(recipe, "none");
      unresolve(recipe, "strategy", `${older}, which writes no inline cache`);
    }
  } else if (recipe.builder === "docker" && /\/(?:registry|local|gha|s3|azblob)/.test(recipe.strategy)) {
    const why = "an engine exports such a cache only where it keeps its images in containerd";
    unresolve(recipe, "strategy", why);
  }
}

/** Why a build is done by the builder of Docker before 23; null where nothing says so. */
function olderBuilder(recipe: Recipe, command: ShellCommand): string | null {
  const buildkit = environmentSwitch(command, "DOCKER_BUILDKIT");
  if (buildkit === false) return "DOCKER_BUILDKIT=0 selects the older builder";
  const version = /^(?:docker\.io\/)?(?:library\/)?docker:(\d+)\b/.exec(recipe.runsIn ?? "")?.[1];
  if (buildkit !== null || version === undefined || Number(version) >= 23) return null;
  // An exported switch whose value is not known may be on.
  if (command.environment("DOCKER_BUILDKIT") !== null) return null;
  return `Docker ${version} without DOCKER_BUILDKIT=1 uses the older builder`;
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
