import type { Recipe } from "../domain/recipe.ts";
import { noteStrays } from "./build-inputs.ts";
import { addCacheSources, addCacheTargets, outputOf } from "./cache-flags.ts";
import { BUILDCTL_BUILD, BUILDCTL_GLOBAL } from "./flag-tables.ts";
import { isOn, parseFlags, truth, valuesOf } from "./flags.ts";
import type { Flag } from "./flags.ts";
import type { JobReading } from "./job-reading.ts";
import { buildArgsOf, draftRecipe, resolved, setCache, unresolve } from "./recipe-draft.ts";
import type { Draft } from "./recipe-draft.ts";
import type { ShellCommand } from "./shell-session.ts";
import type { Field } from "./shell-words.ts";
import { joinTreePath, treePath } from "./tree-path.ts";
import { concatenate, cutText, known, literal, render } from "./value.ts";
import type { Value } from "./value.ts";

/** Reads `buildctl build`; null where the command is another one, a text says why it is no recipe. */
export function readBuildctl(
  reading: JobReading,
  command: ShellCommand,
  words: readonly Field[],
): Draft | string | null {
  const [action, ...rest] = parseFlags(words, BUILDCTL_GLOBAL, true).operands;
  if (!/^(?:build|b)$/.test(literal(action?.value ?? []) ?? "")) return null;
  const { flags, operands } = parseFlags(rest, BUILDCTL_BUILD);
  if (isOn(flags, "help") === true) return "it builds nothing";
  const program = { builder: "buildkit", program: "buildctl build" } as const;
  const recipe = draftRecipe(reading.frame, command, program, flags);
  noteStrays(recipe, operands, "buildctl");
  const options = pairsOf(valuesOf(flags, "opt").concat(valuesOf(flags, "frontend-opt")));
  readInputs(recipe, command, flags, options);
  readArguments(recipe, options);
  setStrategy(recipe, flags, options);
  const names = readOutputs(recipe, flags);
  return { recipe, names, store: "none", conditions: command.conditions };
}

type Pairs = readonly { name: string; value: Value }[];

/** `NAME=VALUE` of each value. */
function pairsOf(values: readonly Value[]): Pairs {
  return values.flatMap((value) => {
    const [first] = value;
    const equals = first?.kind === "text" ? first.text.indexOf("=") : -1;
    if (equals === -1) return [{ name: render(value), value: [] }];
    const { head, tail } = cutText(value, equals);
    return [{ name: head, value: cutText(tail, 1).tail }];
  });
}

function lastOf(pairs: Pairs, name: string): Value | null {
  return pairs.findLast((pair) => pair.name === name)?.value ?? null;
}

function readInputs(recipe: Recipe, command: ShellCommand, flags: readonly Flag[], options: Pairs): void {
  const frontend = render(valuesOf(flags, "frontend").at(-1) ?? []);
  if (frontend !== "dockerfile.v0" && frontend !== "gateway.v0") {
    const what =
      frontend === "" ? "the build reads its definition from standard input" : `the frontend ${frontend}`;
    unresolve(recipe, "dockerfile", `${what}, not a Dockerfile`);
    return;
  }
  const source = lastOf(options, "source");
  if (frontend === "gateway.v0" && !/dockerfile/.test(render(source ?? []))) {
    unresolve(recipe, "dockerfile", `the frontend ${render(source ?? [])} may not read Dockerfiles`);
    return;
  }
  const remote = lastOf(options, "context");
  const locals = pairsOf(valuesOf(flags, "local"));
  recipe.context = directoryOf(
    recipe,
    command,
    "context",
    remote ?? lastOf(locals, "context"),
    remote !== null,
  );
  const directory = directoryOf(recipe, command, "dockerfile", lastOf(locals, "dockerfile"), false);
  const file = lastOf(options, "filename") ?? known("Dockerfile");
  if (directory === null) return;
  const path = literal(file);
  if (path === null) resolved(recipe, "dockerfile", file);
  if (path === null && file.every((piece) => piece.kind !== "unknown"))
    unresolve(recipe, "dockerfile", `${render(file)} is known only in a pipeline`);
  recipe.dockerfile = path === null ? null : joinTreePath(directory, path);
  if (path !== null && recipe.dockerfile === null)
    unresolve(recipe, "dockerfile", `${path} leads out of the tree`);
}

function directoryOf(
  recipe: Recipe,
  command: ShellCommand,
  part: "context" | "dockerfile",
  value: Value | null,
  isRemote: boolean,
): string | null {
  if (value === null) {
    unresolve(recipe, part, `the command names no directory for the ${part}: --local ${part}=`);
    return null;
  }
  const found = isRemote
    ? { path: null, why: `${render(value)} is not in the tree` }
    : treePath(value, command.directory);
  if (found.path === null) unresolve(recipe, part, found.why);
  return found.path;
}

function readArguments(recipe: Recipe, options: Pairs): void {
  const prefix = "build-arg:";
  const given = options
    .filter((option) => option.name.startsWith(prefix))
    .map((option) => concatenate(known(`${option.name.slice(prefix.length)}=`), option.value));
  recipe.buildArgs = buildArgsOf(recipe, given);
  const target = lastOf(options, "target");
  if (target !== null && target.length > 0) recipe.target = resolved(recipe, "target", target);
}

function setStrategy(recipe: Recipe, flags: readonly Flag[], options: Pairs): void {
  const noCache = isOn(flags, "no-cache") === true || lastOf(options, "no-cache") !== null;
  if (!noCache) addCacheSources(recipe, valuesOf(flags, "import-cache"));
  // Before BuildKit 0.4 the mode of a cache stood in a flag of its own.
  const older = valuesOf(flags, "export-cache-opt");
  const targets = valuesOf(flags, "export-cache").map((value) => {
    const plain = older.length > 0 && !render(value).includes("type=");
    const rest = older.flatMap((option) => [known(","), option]);
    return plain ? concatenate(known("type=registry,ref="), value, ...rest) : value;
  });
  const exported = addCacheTargets(recipe, targets);
  const inline = lastOf(options, "build-arg:BUILDKIT_INLINE_CACHE");
  if (!exported && inline !== null && truth(inline) === true) setCache(recipe, "inline");
}

/** Names of the image; those of an output that pushes are its images. */
function readOutputs(recipe: Recipe, flags: readonly Flag[]): string[] {
  const older = valuesOf(flags, "exporter").at(-1);
  const parts = valuesOf(flags, "exporter-opt").flatMap((option) => [known(","), option]);
  const single = older === undefined ? [] : [concatenate(known("type="), older, ...parts)];
  const values = [...valuesOf(flags, "output"), ...single];
  const outputs = values.map((value) => {
    resolved(recipe, "image", value);
    return outputOf(value);
  });
  for (const output of outputs) if (output.pushes) recipe.images.push(...output.names);
  if (recipe.images.length === 0) {
    const [output] = outputs;
    const why =
      output === undefined
        ? "the command names no --output: the image stays in its builder"
        : `--output type=${output.type} without push=true and a name: nothing is pushed`;
    unresolve(recipe, "push", why);
  }
  return outputs.flatMap((output) => output.names);
}
