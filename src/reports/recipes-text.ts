import type { Recipe } from "../domain/recipe.ts";

/** A line of a template that no recipe could be made of. */
export type UnreadLine = { job: string | null; file: string; line: number; command: string; why: string };

const WIDTH = 100;
const LABEL = 12;

/** Recipes for a reader: one block per recipe, at most 100 columns; long words are not cut. */
export function recipesText(recipes: readonly Recipe[], unread: readonly UnreadLine[] = []): string {
  const blocks = recipes.map(recipeBlock);
  const count = `${recipes.length} ${recipes.length === 1 ? "recipe" : "recipes"}`;
  const strategies = Map.groupBy(recipes, (recipe) => recipe.strategy);
  const sums = [...strategies].map(([strategy, group]) => `${group.length} ${strategy}`).join(", ");
  const head = recipes.length === 0 ? "No recipes." : `${count}: ${sums}.`;
  const rest = unread.length === 0 ? [] : [unreadBlock(unread)];
  return `${[head, ...blocks, ...rest].join("\n\n")}\n`;
}

/** The recipes as they are, as JSON. */
export function recipesJson(recipes: readonly Recipe[]): string {
  return `${JSON.stringify(recipes, null, 2)}\n`;
}

/** Programs that go without saying for their builder. */
const PLAIN: ReadonlySet<string> = new Set(["docker build", "/kaniko/executor"]);

const CONDITIONS = {
  upstream: "in the project itself, not in forks",
  fork: "in forks, not in the project itself",
} as const;

function recipeBlock(recipe: Recipe): string {
  const args = Object.entries(recipe.buildArgs).map(([name, value]) =>
    value === null ? name : `${name}=${value}`,
  );
  const environment = Object.entries(recipe.environment).map(([name, value]) => `${name}=${value}`);
  const cacheTo = recipe.cacheTo.map((reference, at) => {
    const options = Object.entries(recipe.cacheToOptions[at] ?? {}).map(
      ([name, value]) => `${name}=${value}`,
    );
    return options.length === 0 ? reference : `${reference} (${options.join(", ")})`;
  });
  const unresolved = recipe.unresolved.map(({ part, why }) => `${part}: ${why}`);
  return [
    `${recipe.job}  ${recipe.strategy}  ${recipe.file}:${recipe.line}`,
    ...field("runs in", [
      [recipe.runsIn ?? "the runner's default image", ...recipe.services.map((name) => `+ ${name}`)].join(
        " ",
      ),
    ]),
    ...field("program", PLAIN.has(recipe.program) ? [] : [recipe.program]),
    ...field("condition", recipe.condition === "both" ? [] : [CONDITIONS[recipe.condition]]),
    ...field("Dockerfile", [recipe.dockerfile ?? "not known"]),
    ...field("context", [recipe.context ?? "none"]),
    ...field("target", recipe.target === null ? [] : [recipe.target]),
    ...field("images", recipe.images.length === 0 ? ["none pushed"] : recipe.images),
    ...field("cache from", recipe.cacheFrom),
    ...field("cache to", cacheTo),
    ...field("pulls", recipe.pulls),
    ...field("build args", args),
    ...field("environment", environment),
    ...field("unresolved", unresolved),
  ].join("\n");
}

/** One label with its values below each other. */
function field(label: string, values: readonly string[]): string[] {
  const lines = values.flatMap((value) => wrap(value, WIDTH - 2 - LABEL));
  return lines.map((line, at) => `  ${(at === 0 ? label : "").padEnd(LABEL)}${line}`);
}

function unreadBlock(unread: readonly UnreadLine[]): string {
  const lines = unread.flatMap(({ job, file, line, command, why }) => [
    ...wrap(`${job ?? "all jobs"}  ${file}:${line}`, WIDTH - 2).map((text) => `  ${text}`),
    ...wrap(command, WIDTH - 4).map((text) => `    ${text}`),
    ...wrap(why, WIDTH - 4).map((text) => `    ${text}`),
  ]);
  return ["Not read:", ...lines].join("\n");
}

/** Breaks a text at spaces; control characters of a template must not reach a terminal. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.replaceAll(/\p{Cc}+/gu, " ").split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
