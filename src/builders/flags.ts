import { Problem } from "../domain/problem.ts";
import type { Recipe } from "../domain/recipe.ts";
import type { BuildRun, DroppedFlag } from "./types.ts";

/**
 * What becomes of a flag of a template.
 * `keep`: handed on as written. `own`: Tare states it itself, from the recipe. `drop`: left out and named.
 * `refuse`: it reaches for the host, for a secret, or changes the result in a way that cannot be measured here.
 * `read`: its value decides, or the builder's own words differ from the template's.
 */
export type FlagRule =
  | { action: "keep" }
  | { action: "own" }
  | { action: "drop" | "refuse"; why: string }
  | { action: "read"; read(value: string | null): FlagReading };

/** Words to hand on, or another rule's answer. */
export type FlagReading = { action: "words"; words: string[] } | Exclude<FlagRule, { action: "read" }>;

export const keep = { action: "keep" } as const;
export const own = { action: "own" } as const;
export const drop = (why: string) => ({ action: "drop", why }) as const;
export const refuse = (why: string) => ({ action: "refuse", why }) as const;
export const read = (reader: (value: string | null) => FlagReading): FlagRule => ({
  action: "read",
  read: reader,
});
export const words = (...given: string[]): FlagReading => ({ action: "words", words: given });

/** One rule for several flags, their names without dashes and separated by spaces. */
export function all(names: string, rule: FlagRule): Record<string, FlagRule> {
  return Object.fromEntries(names.split(" ").map((name) => [`--${name}`, rule]));
}

/** Reasons that several builders' rules share. */
export const WHY = {
  host: "it reaches for the host or the network of the machine that builds",
  secret: "it hands a secret to the build",
  shown: "it changes only what is printed",
  file: "it only writes a file of the job",
  limits: "the limits of the job stand in for it",
  network: "every build of a trial uses the network of its job",
  registries: "the trial has registries of its own",
  retry: "a trial does not retry",
  notPushed: "the image is not pushed then",
} as const;

/** Applies an allow-list: words to hand on, and flags left out. A flag that no rule names is refused. */
export function allowFlags(
  recipe: Recipe,
  rules: Readonly<Record<string, FlagRule>>,
): { kept: string[]; dropped: DroppedFlag[] } {
  const kept: string[] = [];
  const dropped: DroppedFlag[] = [];
  for (const flag of recipe.flags) {
    const { name, value } = splitFlag(flag);
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    const found = rule ?? refuse(`Tare does not know this flag of ${recipe.builder}`);
    const reading = found.action === "read" ? found.read(value) : found;
    if (reading.action === "words") kept.push(...reading.words);
    if (reading.action === "keep") kept.push(flag);
    if (reading.action === "drop") dropped.push({ flag, why: reading.why });
    if (reading.action === "refuse") throw refusal(recipe, flag, reading.why);
  }
  return { kept, dropped };
}

/** Name with its dashes and value of a flag as a recipe keeps it; null for a switch that stands alone. */
export function splitFlag(flag: string): { name: string; value: string | null } {
  const equals = flag.indexOf("=");
  if (equals === -1) return { name: flag, value: null };
  return { name: flag.slice(0, equals), value: flag.slice(equals + 1) };
}

/** Values of every flag of this name, in order. */
export function flagValues(recipe: Recipe, name: string): string[] {
  return recipe.flags
    .map(splitFlag)
    .flatMap((flag) => (flag.name === name && flag.value !== null ? [flag.value] : []));
}

/** Whether a switch is on; the last one counts. */
export function hasSwitch(recipe: Recipe, name: string, byDefault = false): boolean {
  const flag = recipe.flags.map(splitFlag).findLast((candidate) => candidate.name === name);
  return flag === undefined ? byDefault : flag.value === null || /^(?:1|t|true)$/i.test(flag.value);
}

/** Problem flag-refused: which flag of which job, and why. */
export function refusal({ file, line, job }: Recipe, flag: string, why: string): Problem {
  return new Problem(
    "flag-refused",
    `${file}:${line} (job ${job}): ${flag} is not run: ${why}.`,
    "Leave the flag out of the template, or leave this image out with --images.",
  );
}

/** The flags `--build-arg=NAME=VALUE` of a recipe; an argument without a value is one that the pipeline's environment gives. */
export function buildArguments({ recipe, proxy }: Pick<BuildRun, "recipe" | "proxy">): {
  pairs: string[];
  flags: string[];
  dropped: DroppedFlag[];
} {
  const pairs: string[] = [];
  const dropped: DroppedFlag[] = [];
  for (const [name, value] of Object.entries(recipe.buildArgs)) {
    if (value === null)
      dropped.push({ flag: `--build-arg=${name}`, why: "its value is known in a pipeline only" });
    else pairs.push(`${name}=${value}`);
  }
  for (const [name, value] of proxyVariables(proxy))
    if (recipe.buildArgs[name] === undefined) pairs.push(`${name}=${value}`);
  return { pairs, flags: pairs.flatMap((pair) => ["--build-arg", pair]), dropped };
}

/** Every builder takes these without an ARG, and keeps them out of the image. A RUN's own services need no proxy. */
function proxyVariables(proxy: string | null): [name: string, value: string][] {
  if (proxy === null) return [];
  return [
    ["http_proxy", proxy],
    ["https_proxy", proxy],
    ["no_proxy", "localhost,127.0.0.1,::1"],
  ];
}

/** Throws Problem flag-refused for a context that a builder would fetch: URLs, and git's short forms of them. */
export function refuseRemoteContext({ context, file, line, job }: Recipe): void {
  if (context === null || !/:\/\/|^git@|^github\.com\//.test(context)) return;
  throw new Problem(
    "flag-refused",
    `${file}:${line} (job ${job}): the context ${context} is not fetched.`,
    "Only contexts in the tree are built. Leave this image out with --images.",
  );
}
