import { labelOf, LEDGERS, type LedgerId } from "../domain/comparison.ts";
import { formatBytes } from "../domain/quantities.ts";
import type { CleanedLedgers, RoleBytes } from "../domain/registry.ts";
import type { ImageReport, StrategyReport } from "../domain/report.ts";
import { nameOf } from "./main-table.ts";
import type { Grid } from "./plain-table.ts";
import { shortTag } from "./storage-statements.ts";

/** What a registry holds after the last run, what keeps it, and what a cleanup leaves. The report given here is clean text. */

const left = "left" as const;
const right = "right" as const;

const ROLED = ["perRepository", "namespace", "stored"] as const satisfies LedgerId[];

/** The name of a ledger; the star marks the one that the project is charged by. */
export function ledgerName(ledger: LedgerId, deciding: LedgerId): string {
  return `${LEDGERS[ledger].name}${ledger === deciding ? " *" : ""}`;
}

function lastHeld(strategy: StrategyReport) {
  return strategy.runs.findLast(({ holding }) => holding !== null) ?? null;
}

/** Bytes by role and ledger after the last run of each strategy. */
export function holdingGrid(image: ImageReport, deciding: LedgerId): Grid {
  const rows = image.strategies.flatMap((strategy) => {
    const run = lastHeld(strategy);
    const holding = run?.holding;
    if (!run || !holding) return [];
    return ROLED.map((ledger) => [
      nameOf(strategy, image),
      run.scenario,
      ledgerName(ledger, deciding),
      ...roleCells(holding[ledger]),
    ]);
  });
  return {
    head: ["strategy", "after", "ledger", "image", "cache", "unreferenced"],
    align: [left, left, left, right, right, right],
    rows,
  };
}

function roleCells(bytes: RoleBytes | "unknown"): string[] {
  if (bytes === "unknown") return [bytes, bytes, bytes];
  return [formatBytes(bytes.image), formatBytes(bytes.cache), formatBytes(bytes.unreferenced)];
}

/** Layers that the image no longer has, and the tags that keep them. */
export function supersededGrid(image: ImageReport): Grid {
  const rows = image.strategies.flatMap((strategy) => {
    const holding = lastHeld(strategy)?.holding;
    return (holding?.superseded ?? []).map(({ digest, bytes, keptBy, keptByCount }) => {
      const more = keptByCount - keptBy.length;
      return [
        nameOf(strategy, image),
        digest.slice(0, 19),
        formatBytes(bytes),
        `${keptBy.map(shortTag).join(", ")}${more > 0 ? ` and ${more} more` : ""}`,
      ];
    });
  });
  return {
    head: ["strategy", "superseded layer", "size", "kept by"],
    align: [left, left, right, left],
    rows,
  };
}

/** How many superseded layers there are in all; those of the table are the largest. */
export function supersededTotals(image: ImageReport): string[] {
  return image.strategies.flatMap((strategy) => {
    const holding = lastHeld(strategy)?.holding;
    if (!holding || holding.supersededLayers <= holding.superseded.length) return [];
    return `${nameOf(strategy, image)} keeps ${holding.supersededLayers} superseded layers (${formatBytes(holding.supersededBytes)}); the table has the ${holding.superseded.length} largest.`;
  });
}

/** What each policy of a cleanup deletes and leaves, and what the next build misses. */
export function cleanupGrid(image: ImageReport, deciding: LedgerId): Grid {
  const charged = (bytes: CleanedLedgers[keyof CleanedLedgers]) =>
    bytes === "unknown" ? bytes : formatBytes(bytes);
  return {
    head: [
      "strategy",
      "tags kept",
      "tags deleted",
      ...ROLED.map((ledger) => ledgerName(ledger, deciding)),
      "needed tags deleted",
    ],
    align: [left, right, right, right, right, right, right],
    rows: image.strategies.flatMap((strategy) =>
      strategy.cleanup.map((outcome) => [
        nameOf(strategy, image),
        String(outcome.keepTags),
        `${outcome.deletedTags} of ${outcome.tagsBefore}`,
        ...ROLED.map((ledger) => charged(outcome.ledgers[ledger])),
        `${outcome.neededDeleted} of ${outcome.neededTags}`,
      ]),
    ),
  };
}

/** Days after which the simulated cleanup deletes; null where none was simulated. */
export function cleanupDays(image: ImageReport): number | null {
  return image.strategies.flatMap(({ cleanup }) => cleanup)[0]?.olderThanDays ?? null;
}

/** Strategies with their jobs and what they need of a runner. */
export function strategyGrid(image: ImageReport): Grid {
  return {
    head: ["strategy", "role", "job", "stated in", "builder's image", "cache from", "cache to", "needs"],
    align: [left, left, left, left, left, left, left, left],
    rows: image.strategies.map((strategy) => {
      const { recipe, role, job, needs } = strategy;
      const list = (references: readonly string[]) =>
        references.length > 0 ? references.join(", ") : "none";
      return [
        labelOf(strategy),
        role,
        job,
        `${recipe.file}:${recipe.line}`,
        recipe.runsIn ?? "unknown",
        list(recipe.cacheFrom),
        list(recipe.cacheTo),
        needs ?? "nothing",
      ];
    }),
  };
}
