import {
  chargeOf,
  editNumber,
  labelOf,
  LEDGERS,
  runOf,
  scenarioBefore,
  scenariosOf,
} from "../domain/comparison.ts";
import type { LedgerId } from "../domain/comparison.ts";
import { formatByteDifference, formatBytes, formatMemory } from "../domain/quantities.ts";
import type { ImageReport, RunReport, Scenario, StrategyReport } from "../domain/report.ts";
import { median } from "../domain/statistics.ts";
import type { Grid } from "./plain-table.ts";

/** The main table, a row per strategy: current, proposed, then what else was tried. */

export function mainStorageTitle(rule: string): string {
  return `storage before any edit, and what each edit adds; * is what the project is charged by: ${rule}`;
}

export function mainRunTitle(link: string): string {
  return `median time of build and push (link: ${link}), memory that the processes needed, privileges`;
}

function rowsOf(image: ImageReport): { name: string; strategy: StrategyReport }[] {
  return image.strategies.map((strategy) => ({ name: nameOf(strategy, image), strategy }));
}

/** Strategies that look alike in every way but their flags are told apart by their role. */
function nameOf(strategy: StrategyReport, image: ImageReport): string {
  const label = labelOf(strategy);
  const twins = image.strategies.filter((other) => labelOf(other) === label);
  return twins.length > 1 ? `${label} (${strategy.role})` : label;
}

/** Bytes by each ledger before any edit, and what each edit adds in the deciding one. */
export function mainStorageGrid(image: ImageReport, deciding: LedgerId): Grid {
  const edits = scenariosOf(image.strategies).filter((scenario) => editNumber(scenario) > 0);
  const ledgers = Object.keys(LEDGERS) as LedgerId[];
  const rows = rowsOf(image).map(({ name, strategy }) => {
    const before = beforeEdits(strategy);
    return [
      name,
      ...ledgers.map((ledger) => chargeCell(strategy, before, ledger)),
      ...edits.map((edit) => growthCell(strategy, edit, deciding)),
    ];
  });
  return {
    head: [
      "strategy",
      ...ledgers.map((ledger) => `${LEDGERS[ledger].name}${ledger === deciding ? " *" : ""}`),
      ...edits.map((edit) => `+ ${edit}`),
    ],
    align: ["left", ...ledgers.map(() => "right" as const), ...edits.map(() => "right" as const)],
    rows,
  };
}

/** The last run before any edit that left something to charge. */
function beforeEdits(strategy: StrategyReport): Scenario | null {
  const charged = strategy.runs.filter((run) => editNumber(run.scenario) === 0 && run.ledgers !== null);
  return charged.at(-1)?.scenario ?? null;
}

function chargeCell(strategy: StrategyReport, scenario: Scenario | null, ledger: LedgerId): string {
  const charged = scenario === null ? null : runOf(strategy, scenario)?.ledgers;
  if (!charged) return "none";
  const bytes = charged[ledger];
  return bytes === "unknown" ? "unknown" : formatBytes(bytes);
}

function growthCell(strategy: StrategyReport, edit: Scenario, ledger: LedgerId): string {
  const before = scenarioBefore(strategy, edit);
  const from = before === null ? null : chargeOf(strategy, before, ledger);
  const to = chargeOf(strategy, edit, ledger);
  if (from === null || to === null) return runOf(strategy, edit) === null ? "not run" : "none";
  return formatByteDifference(to - from);
}

/** Median times of build and push, the highest peak of memory, privileges, and what failed. */
export function mainRunGrid(image: ImageReport): Grid {
  const scenarios = scenariosOf(image.strategies);
  const rows = rowsOf(image).map(({ name, strategy }) => [
    name,
    ...scenarios.map((scenario) => timeCell(runOf(strategy, scenario))),
    peakCell(strategy),
    strategy.privileges,
  ]);
  return {
    head: ["strategy", ...scenarios, "memory", "privileges"],
    align: ["left", ...scenarios.map(() => "right" as const), "right", "left"],
    rows,
  };
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
