import { Problem } from "../domain/problem.ts";
import type { Recipe } from "../domain/recipe.ts";
import type { DroppedFlag } from "./types.ts";

/**
 * What becomes of a flag of a template.
 * `keep`: handed on as written. `own`: Tare states it itself, from the recipe. `drop`: left out and named.
 * `refuse`: it reaches for the host, for a secret, or changes the result in a way that cannot be measured here.
 */
export type FlagRule = { action: "keep" } | { action: "own" } | { action: "drop" | "refuse"; why: string };

export const keep: FlagRule = { action: "keep" };
export const own: FlagRule = { action: "own" };
export const drop = (why: string): FlagRule => ({ action: "drop", why });
export const refuse = (why: string): FlagRule => ({ action: "refuse", why });

/** Applies an allow-list: flags to hand on, and flags left out. A flag that no rule names is refused. */
export function allowFlags(
  recipe: Recipe,
  rules: Readonly<Record<string, FlagRule>>,
): { kept: string[]; dropped: DroppedFlag[] } {
  const kept: string[] = [];
  const dropped: DroppedFlag[] = [];
  for (const flag of recipe.flags) {
    const name = flag.split("=", 1)[0] ?? flag;
    const rule = rules[name] ?? refuse(`Tare does not know this flag of ${recipe.builder}`);
    if (rule.action === "keep") kept.push(flag);
    if (rule.action === "drop") dropped.push({ flag, why: rule.why });
    if (rule.action === "refuse") {
      throw new Problem(
        "flag-refused",
        `${recipe.file}:${recipe.line} (job ${recipe.job}): ${flag} is not run: ${rule.why}.`,
        "Leave the flag out of the template, or leave this image out with --images.",
      );
    }
  }
  return { kept, dropped };
}

/** The flags `--build-arg=NAME=VALUE` of a recipe; an argument without a value is one that the pipeline's environment gives. */
export function buildArguments(recipe: Recipe): { flags: string[]; dropped: DroppedFlag[] } {
  const flags: string[] = [];
  const dropped: DroppedFlag[] = [];
  for (const [name, value] of Object.entries(recipe.buildArgs)) {
    if (value === null)
      dropped.push({ flag: `--build-arg=${name}`, why: "its value is known in a pipeline only" });
    else flags.push("--build-arg", `${name}=${value}`);
  }
  return { flags, dropped };
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
