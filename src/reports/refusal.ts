import type { Change } from "../domain/change.ts";
import type { Finding } from "../domain/finding.ts";
import { formatCount } from "../domain/quantities.ts";
import type { Recipe, RecipeComparison } from "../domain/recipe.ts";
import { mapTexts } from "../lib/map-texts.ts";
import { fill } from "./fill.ts";
import { markdownLine, plainLine } from "./sanitise.ts";
import { WIDTHS } from "./problem.ts";
import type { Format } from "./problem.ts";
import { findingLine } from "./statements.ts";
import { wrap } from "./wrap.ts";

export type Refusal = {
  /** What the change does to the recipes, in one sentence. */
  sentence: string;
  comparison: RecipeComparison;
  recipes: { base: readonly Recipe[]; head: readonly Recipe[] };
  change: Change;
  findings: readonly Finding[];
  /** Why nothing was built, as a clause: `it comes by mail, and nobody has approved it`. */
  why: string;
};

const NAMED_JOBS = 3;
const SHAPES = 3;

/** The answer to a change that is not built: what it does to the recipes, and who may have it built. */
export function renderRefusal(refusal: Refusal, format: Format): string {
  if (format === "markdown") {
    const clean = mapTexts(refusal, (text) => markdownLine(text));
    return fill(
      "refusal.md",
      slots(
        clean,
        (text) => text,
        (label, text) => `- ${label}: ${text}`,
        (text) => `- ${text}`,
      ),
    );
  }
  const clean = mapTexts(refusal, (text) => plainLine(text));
  const width = WIDTHS[format];
  return fill(
    `refusal.${format}.txt`,
    slots(
      clean,
      (text) => wrap(text, width),
      (label, text) => wrap(text, width, { first: `  ${label.padEnd(10)} `, rest: " ".repeat(13) }),
      (text) => wrap(text, width, { first: "- ", rest: "  " }),
    ),
  );
}

function slots(
  { sentence, comparison, recipes, change, findings, why }: Refusal,
  paragraph: (text: string) => string,
  item: (label: string, text: string) => string,
  bullet: (text: string) => string,
): Record<string, unknown> {
  const shapes = shapesOf(comparison);
  const more = shapes.length - SHAPES;
  return {
    lead: paragraph(`${sentence}. Nothing was built or measured: ${why}.`),
    shapes: shapes.slice(0, SHAPES).map((shape) => ({
      title: paragraph(shape.title),
      before: shape.base ? items(shape.base, item) : item("recipe", "none"),
      after: shape.head ? items(shape.head, item) : item("recipe", "none"),
    })),
    more: more > 0 ? paragraph(`${formatCount(more, "further kind")} of change not shown.`) : null,
    findings: findings.map((finding) => bullet(findingLine(finding))),
    counts: paragraph(
      `Read: ${formatCount(recipes.base.length, "recipe")} before and ${recipes.head.length} with the change. The change is ${change.author.name || change.author.address}'s.`,
    ),
    who: paragraph(
      "Whoever runs Tare for this project can build it after reading it: `tare trial --patch FILE --repo DIR --trust`.",
    ),
  };
}

type Shape = { title: string; base: Recipe | null; head: Recipe | null };

/** Jobs whose recipes change in the same way, the most frequent first, each with one example. */
function shapesOf(comparison: RecipeComparison): Shape[] {
  const key = (recipe: Recipe | null) =>
    recipe && [recipe.strategy, recipe.runsIn, recipe.file, recipe.cacheFrom.length, recipe.cacheTo.length];
  const groups = Map.groupBy(comparison.changed, ({ base, head }) => JSON.stringify([key(base), key(head)]));
  return [...groups.values()]
    .sort((a, b) => b.length - a.length)
    .flatMap((group) => {
      const [first] = group;
      if (!first) return [];
      const names = group.slice(0, NAMED_JOBS).map(({ job }) => job);
      const rest = group.length > NAMED_JOBS ? ` and ${group.length - NAMED_JOBS} more` : "";
      // The sentence above has counted them.
      const title =
        group.length > 1 ? `Jobs ${names.join(", ")}${rest}; shown is ${first.job}` : `Job ${first.job}`;
      return [{ title, base: first.base, head: first.head }];
    });
}

function items(recipe: Recipe, item: (label: string, text: string) => string): string {
  const services = recipe.services.length > 0 ? ` with ${recipe.services.join(", ")}` : "";
  const list = (references: readonly string[]) => (references.length > 0 ? references.join(", ") : "none");
  return [
    item("strategy", recipe.strategy),
    item("said in", `${recipe.file}:${recipe.line}`),
    item("runs in", `${recipe.runsIn ?? "unknown"}${services}`),
    item("pushes", list(recipe.images)),
    item("cache from", list(recipe.cacheFrom)),
    item("cache to", list(recipe.cacheTo)),
    ...recipe.unresolved.map(({ part, why }) => item("unresolved", `${part}: ${why}`)),
  ].join("\n");
}
