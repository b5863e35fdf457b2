import {
  differenceAfter,
  editNumber,
  labelOf,
  LEDGERS,
  ledgersBeside,
  namesOf,
  pairOf,
  runOf,
  scenariosOf,
} from "../domain/comparison.ts";
import type { LedgerId } from "../domain/comparison.ts";
import { formatBytes, formatMemory } from "../domain/quantities.ts";
import type { ImageReport, RunReport, Scenario, StrategyReport } from "../domain/report.ts";
import { median, range } from "../domain/statistics.ts";
import { chargeCell } from "./charge-cell.ts";
import type { Grid } from "./plain-table.ts";

/** Tables of an answer, the same in every format. The report given here is already clean. */

type Sides = { name: string; strategy: StrategyReport }[];

export function sidesOf(image: ImageReport): Sides {
  const pair = pairOf(image.strategies);
  const names = namesOf(pair);
  return [
    ...(pair.current ? [{ name: names.current, strategy: pair.current }] : []),
    ...(pair.proposed ? [{ name: names.proposed, strategy: pair.proposed }] : []),
  ];
}

/** The change's own two, and behind them what else was tried. */
export function allOf(image: ImageReport): Sides {
  const others = image.strategies.filter(({ role }) => role === "other");
  return [...sidesOf(image), ...others.map((strategy) => ({ name: labelOf(strategy), strategy }))];
}

/**
 * Runs: outcome with median and range, peak memory, hits and misses. `whole` adds bytes over the link, and strategies
 * beside the change's own two.
 */
export function runGrid(image: ImageReport, repeats: number, whole: boolean): Grid {
  const traffic = whole;
  const sides = whole ? allOf(image) : sidesOf(image);
  const rows = scenariosOf(image.strategies).flatMap((scenario) =>
    sides.flatMap(({ name, strategy }) => {
      const run = runOf(strategy, scenario);
      return run ? runRows(name, run, repeats, traffic) : [];
    }),
  );
  return {
    head: [
      "run",
      "strategy",
      "outcome, build and push",
      "peak",
      "no cache",
      "hits",
      ...(traffic ? ["pulled", "pushed"] : []),
    ],
    align: [
      "left",
      "left",
      "left",
      "right",
      "right",
      "right",
      ...(traffic ? (["right", "right"] as const) : []),
    ],
    rows,
  };
}

function runRows(name: string, run: RunReport, repeats: number, traffic: boolean): string[][] {
  const moved = (bytes: number | "unknown") => (bytes === "unknown" ? "unknown" : formatBytes(bytes));
  const timed = [
    run.scenario,
    name,
    outcomeCell(run, repeats),
    memoryCell(run.memoryPeakBytes),
    memoryCell(run.anonymousPeakBytes),
    hitsCell(run),
    ...(traffic ? [moved(run.pulledBytes), moved(run.pushedBytes)] : []),
  ];
  const again = run.storageRun;
  if (!again) return [timed];
  const said = `${outcomeWord(again.outcome, again.memoryLimitBytes)}, given ${formatMemory(again.memoryLimitBytes)}, untimed`;
  return [
    timed,
    [
      run.scenario,
      name,
      said,
      memoryCell(again.memoryPeakBytes),
      memoryCell(again.anonymousPeakBytes),
      "",
      ...(traffic ? ["", ""] : []),
    ],
  ];
}

function outcomeCell(run: RunReport, repeats: number): string {
  const word = outcomeWord(run.outcome, run.memoryLimitBytes);
  const times = spread(run.totalMs);
  if (run.outcome !== "succeeded" || !times) return word;
  const count = run.totalMs.length === repeats ? "" : ` n=${run.totalMs.length}`;
  return `${word}, ${times}${count}`;
}

const OUTCOMES: Record<RunReport["outcome"], string> = {
  succeeded: "ok",
  failed: "failed",
  "out-of-memory": "killed",
  "timed-out": "timed out",
  canceled: "canceled",
};

export function outcomeWord(outcome: RunReport["outcome"], limitBytes: number): string {
  const word = OUTCOMES[outcome];
  return outcome === "out-of-memory" ? `${word} at ${formatMemory(limitBytes)}` : word;
}

/** `190 s (188-194)` or `2.2 s (1.7-2.7)`: median and range in seconds, short enough for a column. */
export function spread(durationsMs: readonly number[]): string | null {
  const middle = median(durationsMs);
  const ends = range(durationsMs);
  if (middle === null || ends === null) return null;
  const decimals = ends.greatest < 20_000 ? 1 : 0;
  const seconds = (durationMs: number) => (durationMs / 1000).toFixed(decimals);
  const whole = `${seconds(middle)} s`;
  return durationsMs.length === 1 ? whole : `${whole} (${seconds(ends.least)}-${seconds(ends.greatest)})`;
}

export function memoryCell(bytes: number | "unknown"): string {
  return bytes === "unknown" ? "unknown" : formatMemory(bytes);
}

export function hitsCell(run: RunReport): string {
  if (run.hits === "unknown" || run.misses === "unknown") return "unknown";
  return `${run.hits} of ${run.hits + run.misses}`;
}

/** Storage after each scenario by each ledger, the forge's own marked with `*`. */
export function storageGrid(image: ImageReport, deciding: LedgerId): Grid {
  const { current, proposed } = pairOf(image.strategies);
  const names = namesOf({ current, proposed });
  const rows = scenariosOf(image.strategies).flatMap((scenario) =>
    ledgersBeside(deciding).map((ledger) => [
      scenario,
      `${LEDGERS[ledger].name}${ledger === deciding ? " *" : ""}`,
      chargeCell(current, scenario, ledger),
      chargeCell(proposed, scenario, ledger),
      differenceCell(current, proposed, scenario, ledger),
    ]),
  );
  return {
    head: ["after", "ledger", names.current, names.proposed, "difference"],
    align: ["left", "left", "right", "right", "right"],
    rows,
  };
}

function differenceCell(
  current: StrategyReport | null,
  proposed: StrategyReport | null,
  scenario: Scenario,
  ledger: LedgerId,
): string {
  return (current && proposed && differenceAfter(current, proposed, scenario, ledger)) ?? "";
}

/** Repositories with tags and bytes after the last scenario; one that ended earlier says after which. */
export function repositoryGrid(image: ImageReport): { after: string; grid: Grid } | null {
  const last = scenariosOf(image.strategies).findLast((scenario) =>
    image.strategies.some((strategy) => (runOf(strategy, scenario)?.repositories.length ?? 0) > 0),
  );
  if (!last) return null;
  const rows = allOf(image).flatMap(({ name, strategy }) => {
    const run = strategy.runs.findLast((each) => each.repositories.length > 0);
    const label = !run || run.scenario === last ? name : `${name}, ${run.scenario}`;
    return (run?.repositories ?? []).map((repository) => [
      label,
      repository.name,
      String(repository.tags),
      formatBytes(repository.bytes),
    ]);
  });
  const grid: Grid = {
    head: ["strategy", "repository", "tags", "size"],
    align: ["left", "left", "right", "right"],
    rows,
  };
  return { after: last, grid };
}

/** Every byte of the deciding ledger, for those who check. */
export function exactGrid(image: ImageReport, exact: (bytes: number) => string): Grid {
  const rows = scenariosOf(image.strategies).flatMap((scenario) =>
    allOf(image).map(({ name, strategy }) => {
      const cells = (Object.keys(LEDGERS) as LedgerId[]).map((ledger) =>
        chargeCell(strategy, scenario, ledger, exact),
      );
      return [scenario as string, name].concat(cells);
    }),
  );
  return {
    head: [
      "after",
      "strategy",
      ...(Object.keys(LEDGERS) as LedgerId[]).map((ledger) => LEDGERS[ledger].name),
    ],
    align: ["left", "left", ...Object.keys(LEDGERS).map(() => "right" as const)],
    rows,
  };
}

/** Last lines of the log of the first run of each strategy that did not succeed, by the raw report. */
export function failuresOf(image: ImageReport): { title: string; lines: string[] }[] {
  return allOf(image).flatMap(({ name, strategy }) => {
    const run = strategy.runs.find((each) => each.failure !== null && each.failure.length > 0);
    if (!run?.failure) return [];
    const where = editNumber(run.scenario) === 0 ? `${run.scenario} build` : run.scenario;
    return [{ title: `${name}, ${where}`, lines: run.failure }];
  });
}
