import type { Recipe } from "../domain/recipe.ts";
import { NAMED } from "./recipe-draft.ts";
import { splitReference } from "../domain/image-reference.ts";

/** One difference in words; `shape` has `*` for the image's own name, so that jobs can be grouped. */
export type Difference = { text: string; shape: string };

/** What differs between two recipes of one job. Where the strategy changes, its flags and sources go without saying. */
export function differences(base: Recipe, head: Recipe): Difference[] {
  const say = speakOf(base, head);
  const from = strategyOf(base);
  const to = strategyOf(head);
  const said: Difference[] = [];
  if (from !== to) said.push(say(`${from} becomes ${to}`));
  if (base.builder === head.builder) said.push(...becomes("program", base.program, head.program).map(say));
  const sameStrategy = base.strategy === head.strategy;
  if (sameStrategy && from === to) said.push(...cacheDifferences(base, head).map(say));
  said.push(...inputDifferences(base, head, sameStrategy).map(say));
  if (sameStrategy) said.push(...surroundings(base, head).map(say));
  return said;
}

/** Writes a difference twice: as it is, and with `*` for what only this image is called. */
function speakOf(base: Recipe, head: Recipe): (text: string) => Difference {
  const names = [...new Set([shortName(base), shortName(head)])].filter((name) => name.length > 1);
  names.sort((a, b) => b.length - a.length);
  return (text) => ({ text, shape: names.reduce((shape, name) => shape.replaceAll(name, "*"), text) });
}

function shortName(recipe: Recipe): string {
  const [image] = recipe.images;
  if (image !== undefined) return splitReference(image).repository.split("/").at(-1) ?? "";
  return (
    recipe.dockerfile
      ?.split("/")
      .at(-1)
      ?.replace(/\.[^.]*$/, "") ?? ""
  );
}

const NUMBERS = "no one two three four five six seven eight nine ten".split(" ");

/** `docker/inline with two cache sources`; layers have a repository by nature, and kaniko's have but one. */
function strategyOf(recipe: Recipe): string {
  const count = recipe.cacheFrom.length;
  const isPlain = recipe.builder === "kaniko" || (recipe.strategy.endsWith("/layers") && count === 1);
  if (count === 0 || isPlain) return recipe.strategy;
  return `${recipe.strategy} with ${NUMBERS[count] ?? count} cache source${count === 1 ? "" : "s"}`;
}

function cacheDifferences(base: Recipe, head: Recipe): string[] {
  const one = base.cacheTo.length === 1 && head.cacheTo.length === 1;
  if (base.builder === "kaniko" && one) return becomes("cache repository", base.cacheTo[0], head.cacheTo[0]);
  // Where the cache is inline, its target is the image itself.
  const isInline = base.strategy.endsWith("/inline");
  const what = base.strategy.endsWith("/layers") ? "cache repository" : "cache target";
  return [
    ...listDifferences("cache source", base.cacheFrom, head.cacheFrom),
    ...(isInline ? [] : listDifferences(what, base.cacheTo, head.cacheTo)),
    ...listDifferences("cache option", cacheOptions(base), cacheOptions(head)),
  ];
}

/** Options of the cache targets, each once; the mode is part of the strategy. */
function cacheOptions(recipe: Recipe): string[] {
  const options = recipe.cacheToOptions.flatMap((target) => Object.entries(target));
  return [...new Set(options.filter(([name]) => name !== "mode").map(([name, value]) => `${name}=${value}`))];
}

/** What is built, of what, and under which name. */
function inputDifferences(base: Recipe, head: Recipe, sameStrategy: boolean): string[] {
  const context = base.context === null || head.context === null ? sameStrategy : true;
  return [
    ...becomes("Dockerfile", base.dockerfile, head.dockerfile),
    ...(context ? becomes("context", base.context, head.context) : []),
    ...becomes("target", base.target, head.target),
    ...listDifferences("image", base.images, head.images),
    ...recordDifferences("build argument", base.buildArgs, head.buildArgs),
  ];
}

function surroundings(base: Recipe, head: Recipe): string[] {
  return [
    ...listDifferences("flag", plainFlags(base), plainFlags(head)),
    ...becomes("job image", base.runsIn, head.runsIn),
    ...listDifferences("service", base.services, head.services),
    ...recordDifferences("variable", base.environment, head.environment),
    ...listDifferences("login", base.logins, head.logins),
    ...listDifferences("pull", base.pulls, head.pulls),
    ...becomes("condition", base.condition, head.condition),
  ];
}

function plainFlags(recipe: Recipe): string[] {
  return recipe.flags.filter((flag) => !NAMED.has(flag.slice(2).split("=")[0] ?? "") && !SAID.test(flag));
}

/** Options of buildctl that have a field of their own in a recipe. */
const SAID = /^--opt=(?:build-arg:|target=|filename=)|^--output=type=(?:image|registry),/;

function becomes(what: string, from: string | null | undefined, to: string | null | undefined): string[] {
  return from === to ? [] : [`${what} ${from ?? "none"} becomes ${to ?? "none"}`];
}

/** Added and removed members; one against one is a change, and a new order is one, too. */
function listDifferences(what: string, from: readonly string[], to: readonly string[]): string[] {
  const removed = from.filter((member) => !to.includes(member));
  const added = to.filter((member) => !from.includes(member));
  if (removed.length === 1 && added.length === 1) return becomes(what, removed[0], added[0]);
  if (removed.length + added.length > 0) {
    return [
      ...removed.map((member) => `${what} ${member} removed`),
      ...added.map((member) => `${what} ${member} added`),
    ];
  }
  return from.join("\n") === to.join("\n") ? [] : [`${what}s in another order`];
}

function recordDifferences(
  what: string,
  from: Readonly<Record<string, string | null>>,
  to: Readonly<Record<string, string | null>>,
): string[] {
  // Inline cache is a strategy: its switch is no build argument of the image.
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])].filter(
    (name) => name !== "BUILDKIT_INLINE_CACHE",
  );
  return names.flatMap((name) => {
    if (!Object.hasOwn(to, name)) return [`${what} ${name} removed`];
    if (!Object.hasOwn(from, name)) return [`${what} ${name} added`];
    return from[name] === to[name] ? [] : [`${what} ${name} changed`];
  });
}
