import {
  chargeOf,
  editNumber,
  labelOf,
  LEDGERS,
  ledgersBeside,
  runOf,
  scenarioBefore,
  scenariosOf,
} from "../domain/comparison.ts";
import type { LedgerId } from "../domain/comparison.ts";
import { formatByteDifference, formatMemory } from "../domain/quantities.ts";
import type { ImageReport, RunReport, Scenario, StrategyReport } from "../domain/report.ts";
import { median, range } from "../domain/statistics.ts";
import { chargeCell } from "./charge-cell.ts";
import type { Grid } from "./plain-table.ts";

/** The main table, a row per strategy: current, proposed, then what else was tried. */

export function mainStorageTitle(rule: string): string {
  return `storage before any edit, and what an edit adds; * is what the project is charged by: ${rule}`;
}

export function mainRunTitle(link: string): string {
  return `median time of build and push (link: ${link}), memory that the processes needed, privileges`;
}

function rowsOf(image: ImageReport): { name: string; strategy: StrategyReport }[] {
  return image.strategies.map((strategy) => ({ name: nameOf(strategy, image), strategy }));
}

/** Strategies that look alike in every way but their flags are told apart by their role. */
export function nameOf(strategy: StrategyReport, image: ImageReport): string {
  const label = labelOf(strategy);
  const twins = image.strategies.filter((other) => labelOf(other) === label);
  return twins.length > 1 ? `${label} (${strategy.role})` : label;
}

/** Bytes by each ledger before any edit, and what each edit adds in the deciding one. */
export function mainStorageGrid(image: ImageReport, deciding: LedgerId): Grid {
  const edits = editsOf(image);
  // A column for each edit has room for two; more have a table of their own.
  const columns = edits.length > 2 ? ["per edit"] : edits.map((edit) => `+ ${edit}`);
  const ledgers = ledgersBeside(deciding);
  const rows = rowsOf(image).map(({ name, strategy }) => {
    const before = scenarioBefore(strategy, "edit 1");
    return [
      name,
      ...ledgers.map((ledger) => chargeCell(strategy, before, ledger)),
      ...(edits.length > 2
        ? [slopeCell(strategy, edits, deciding)]
        : edits.map((edit) => growthCell(strategy, edit, deciding))),
    ];
  });
  return {
    head: [
      "strategy",
      ...ledgers.map((ledger) => `${LEDGERS[ledger].name}${ledger === deciding ? " *" : ""}`),
      ...columns,
    ],
    align: ["left", ...ledgers.map(() => "right" as const), ...columns.map(() => "right" as const)],
    rows,
  };
}

function editsOf(image: ImageReport): Scenario[] {
  return scenariosOf(image.strategies).filter((scenario) => editNumber(scenario) > 0);
}

/** What each edit adds to each strategy in the deciding ledger; null where the main table has room for it. */
export function growthGrid(image: ImageReport, deciding: LedgerId): Grid | null {
  const edits = editsOf(image);
  if (edits.length <= 2) return null;
  const strategies = rowsOf(image);
  return {
    head: ["edit", ...edits.map((edit) => String(editNumber(edit)))],
    align: ["left", ...edits.map(() => "right" as const)],
    rows: strategies.map(({ name, strategy }) => [
      name,
      ...edits.map((edit) => growthCell(strategy, edit, deciding)),
    ]),
  };
}

/** Mean growth by an edit, over those that were measured. */
function slopeCell(strategy: StrategyReport, edits: readonly Scenario[], ledger: LedgerId): string {
  const before = scenarioBefore(strategy, "edit 1");
  const last = edits.findLast((edit) => chargeOf(strategy, edit, ledger) !== null);
  const from = before === null ? null : chargeOf(strategy, before, ledger);
  const to = last === undefined ? null : chargeOf(strategy, last, ledger);
  if (last === undefined || from === null || to === null) return "none";
  return formatByteDifference(Math.round((to - from) / editNumber(last)));
}

function growthCell(strategy: StrategyReport, edit: Scenario, ledger: LedgerId): string {
  const before = scenarioBefore(strategy, edit);
  const from = before === null ? null : chargeOf(strategy, before, ledger);
  const to = chargeOf(strategy, edit, ledger);
  if (from === null || to === null) return runOf(strategy, edit) === null ? "not run" : "none";
  return formatByteDifference(to - from);
}

export function growthTitle(): string {
  return "what each edit adds, by the count of *";
}

/** Median times of build and push, the highest peak of memory, privileges, and what failed. */
export function mainRunGrid(image: ImageReport): Grid {
  const all = scenariosOf(image.strategies);
  const many = editsOf(image).length > 2;
  const scenarios = many ? all.filter((scenario) => editNumber(scenario) === 0) : all;
  const rows = rowsOf(image).map(({ name, strategy }) => [
    name,
    ...scenarios.map((scenario) => timeCell(runOf(strategy, scenario))),
    ...(many ? [editTimeCell(strategy)] : []),
    peakCell(strategy),
    strategy.privileges,
  ]);
  return {
    head: ["strategy", ...scenarios, ...(many ? ["edits"] : []), "memory", "privileges"],
    align: [
      "left",
      ...scenarios.map(() => "right" as const),
      ...(many ? ["right" as const] : []),
      "right",
      "left",
    ],
    rows,
  };
}

/** The least and the greatest median of all edits; the first failure where there is one. */
function editTimeCell({ runs }: StrategyReport): string {
  const edits = runs.filter((run) => editNumber(run.scenario) > 0);
  const failed = edits.find(({ outcome }) => outcome !== "succeeded");
  if (failed !== undefined) return timeCell(failed);
  const ends = range(edits.flatMap((run) => median(run.totalMs) ?? []));
  if (ends === null) return "not run";
  const decimals = ends.greatest < 20_000 ? 1 : 0;
  return `${(ends.least / 1000).toFixed(decimals)}-${(ends.greatest / 1000).toFixed(decimals)} s`;
}

const FAILED: Record<Exclude<RunReport["outcome"], "succeeded">, string> = {
  failed: "failed",
  "out-of-memory": "killed",
  "timed-out": "timed out",
  canceled: "canceled",
};

function timeCell(run: RunReport | null): string {
  if (run === null) return "not run";
  if (run.outcome !== "succeeded") return FAILED[run.outcome];
  const middle = median(run.totalMs);
  if (middle === null) return "unknown";
  return `${(middle / 1000).toFixed(middle < 20_000 ? 1 : 0)} s`;
}

/** What the processes needed; where that was not seen, the peak of the cgroup. A run with more memory counts. */
function peakCell(strategy: StrategyReport): string {
  const peaks = strategy.runs.flatMap((run) => {
    const seen = [run.anonymousPeakBytes, run.storageRun?.anonymousPeakBytes];
    return seen.filter((bytes): bytes is number => typeof bytes === "number");
  });
  return peaks.length === 0 ? "unknown" : formatMemory(Math.max(...peaks));
}
