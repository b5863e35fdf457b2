import type { BuilderId, CacheId, Recipe, Unresolved } from "../domain/recipe.ts";
import { truth, valuesOf, writeFlag } from "./flags.ts";
import type { Flag } from "./flags.ts";
import type { ShellCommand } from "./shell-session.ts";
import { cutText, literal, reasons, render } from "./value.ts";
import type { Value } from "./value.ts";

/** A recipe while its job is read. */
export type Draft = {
  recipe: Recipe;
  /** Names that the image has in the job, as far as they are known: pushing one of them pushes the image. */
  names: string[];
  /** Where the built image is: in a Docker engine, in the storage of buildah and podman, or in neither. */
  store: "docker" | "containers" | "none";
  /** Conditions that the build stands under. */
  conditions: readonly string[];
};

/** What every recipe of one job shares. */
export type JobFrame = {
  job: string;
  runsIn: string | null;
  services: string[];
  /** Variables of the templates, for the environment. */
  variables: readonly string[];
  /** References logged in to so far. */
  logins: string[];
  condition: () => Recipe["condition"];
  unresolved: Unresolved[];
};

/** A recipe with nothing but what the job and the command's flags say. */
export function draftRecipe(
  frame: JobFrame,
  command: ShellCommand,
  { builder, program }: { builder: BuilderId; program: string },
  flags: readonly Flag[],
): Recipe {
  const recipe: Recipe = {
    job: frame.job,
    file: command.file,
    line: command.line,
    builder,
    strategy: `${builder}/none`,
    program,
    runsIn: frame.runsIn,
    services: [...frame.services],
    dockerfile: null,
    context: null,
    target: null,
    images: [],
    cacheFrom: [],
    cacheTo: [],
    cacheToOptions: [],
    pulls: [],
    buildArgs: {},
    flags: flags.map(writeFlag),
    environment: {},
    logins: [...frame.logins],
    condition: frame.condition(),
    unresolved: [...frame.unresolved],
  };
  recipe.environment = environmentOf(recipe, frame, command);
  recipe.buildArgs = buildArgsOf(recipe, valuesOf(flags, "build-arg"));
  const target = valuesOf(flags, "target").at(-1);
  if (target !== undefined) recipe.target = resolved(recipe, "target", target);
  for (const flag of flags) {
    if (flag.unknown)
      unresolve(
        recipe,
        "flags",
        `${writeFlag({ ...flag, value: null })} is not a flag that is known of ${builder === "docker" || builder === "kaniko" ? builder : program}`,
      );
    else if (flag.value !== null && !NAMED.has(flag.name) && !isOutput(flag, program))
      resolved(recipe, "flags", flag.value);
  }
  for (const condition of command.conditions) {
    const world = worldOf(condition);
    if (world !== null && (recipe.condition === "both" || recipe.condition === world))
      recipe.condition = world;
    else unresolve(recipe, "condition", `built only if: ${condition}`);
  }
  return recipe;
}

/** `[ "$CI_PROJECT_NAMESPACE" = acme ]` of a script tells upstream from forks; null for any other condition. */
function worldOf(condition: string): "upstream" | "fork" | null {
  const match =
    /^(not )?(?:test|\[{1,2}) "?\$\{?CI_PROJECT_(?:NAMESPACE|ROOT_NAMESPACE|PATH)\}?"? (==?|!=) ["']?[\w./-]+["']?(?: \]{1,2})?;?$/.exec(
      condition,
    );
  if (match === null) return null;
  return (match[1] === undefined) === (match[2] !== "!=") ? "upstream" : "fork";
}

/** buildctl names the image in its output: what is unknown of it is said of the image. */
function isOutput(flag: Flag, program: string): boolean {
  return flag.name === "output" && program === "buildctl build";
}

/** Flags that have a field of their own in a recipe. */
export const NAMED = new Set([
  ..."tag destination file dockerfile context context-sub-path cache cache-from cache-to cache-repo".split(
    " ",
  ),
  ..."build-arg target local import-cache export-cache".split(" "),
]);

/** Text of a value; what is unknown of it is noted in the recipe. */
export function resolved(recipe: Recipe, part: string, value: Value): string {
  for (const why of reasons(value)) unresolve(recipe, part, why);
  const text = render(value);
  const [foreign] = /%\w+%/.exec(text) ?? [];
  if (foreign !== undefined)
    unresolve(recipe, part, `${foreign} is a variable of cmd.exe, which is not read`);
  return text;
}

/** Notes a part that could not be resolved, once. */
export function unresolve(recipe: Recipe, part: string, why: string): void {
  if (!recipe.unresolved.some((old) => old.part === part && old.why === why))
    recipe.unresolved.push({ part, why });
}

/** Sets the strategy. */
export function setCache(recipe: Recipe, cache: CacheId): void {
  recipe.strategy = `${recipe.builder}/${cache}`;
}

/** Value of a variable in the builder's environment as a switch; null where it is not set or not known. */
export function environmentSwitch(command: ShellCommand, name: string): boolean | null {
  const value = command.environment(name);
  return value === null ? null : truth(value);
}

const TELLING =
  /^(?:DOCKER_BUILDKIT|DOCKER_HOST|BUILDKIT_\w+|BUILDX_(?:BUILDER|CONFIG|NO_DEFAULT_\w+|GIT_\w+)|KANIKO_\w+|FF_KANIKO_\w+|BUILDAH_\w+|STORAGE_DRIVER|STORAGE_OPTS)$/;

function environmentOf(recipe: Recipe, frame: JobFrame, command: ShellCommand): Record<string, string> {
  const entries: [string, string][] = [];
  for (const name of new Set([...frame.variables, ...command.exported])) {
    const value = TELLING.test(name) ? command.environment(name) : null;
    if (value !== null) entries.push([name, resolved(recipe, "environment", value)]);
  }
  return Object.fromEntries(entries);
}

/** Build arguments by name; null where the value comes from the environment of the job. */
export function buildArgsOf(recipe: Recipe, values: readonly Value[]): Record<string, string | null> {
  const entries: [string, string | null][] = [];
  for (const value of values) {
    const [first] = value;
    const equals = first?.kind === "text" ? first.text.indexOf("=") : -1;
    if (equals > 0) {
      const { head, tail } = cutText(value, equals);
      entries.push([head, resolved(recipe, "build-arg", cutText(tail, 1).tail)]);
    } else if (literal(value) === null)
      unresolve(recipe, "build-arg", reasons(value)[0] ?? `${render(value)} is known only in a pipeline`);
    else entries.push([render(value), null]);
  }
  return Object.fromEntries(entries);
}
