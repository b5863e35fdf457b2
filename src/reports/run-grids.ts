import { runOf, scenariosOf } from "../domain/comparison.ts";
import { formatBytes, formatMemory } from "../domain/quantities.ts";
import type { ForkRun, ImageReport, RunReport, StrategyReport } from "../domain/report.ts";
import { nameOf } from "./main-table.ts";
import type { Grid } from "./plain-table.ts";
import { hitsCell, memoryCell, outcomeWord, spread } from "./sections.ts";

/** Tables of runs that only a page has room for. The report given here is clean text. */

type Row = { name: string; strategy: StrategyReport; run: RunReport };

/** Every run, by scenario and in the order of the strategies. */
function rowsOf(image: ImageReport): Row[] {
  return scenariosOf(image.strategies).flatMap((scenario) =>
    image.strategies.flatMap((strategy) => {
      const run = runOf(strategy, scenario);
      return run === null ? [] : [{ name: nameOf(strategy, image), strategy, run }];
    }),
  );
}

const left = "left" as const;
const right = "right" as const;

/** Median and range of build, of push and of both, with the number of timed runs. */
export function timeGrid(image: ImageReport): Grid {
  return {
    head: ["run", "strategy", "outcome", "timed runs", "build", "push", "build and push"],
    align: [left, left, left, right, right, right, right],
    rows: rowsOf(image).map(({ name, run }) => [
      run.scenario,
      name,
      outcomeWord(run.outcome, run.memoryLimitBytes),
      String(run.totalMs.length),
      timesCell(run, run.buildMs),
      timesCell(run, run.pushMs),
      timesCell(run, run.totalMs),
    ]),
  };
}

function timesCell(run: RunReport, durationsMs: readonly number[]): string {
  return run.outcome === "succeeded" ? (spread(durationsMs) ?? "unknown") : "none";
}

/** Peaks of memory beside the limit, with kills; a run that was made again with more memory has a row of its own. */
export function memoryGrid(image: ImageReport): Grid {
  return {
    head: ["run", "strategy", "outcome", "limit", "peak", "without page cache"],
    align: [left, left, left, right, right, right],
    rows: rowsOf(image).flatMap(({ name, run }) => {
      const again = run.storageRun;
      const cells = (
        what: Pick<RunReport, "outcome" | "memoryLimitBytes" | "memoryPeakBytes" | "anonymousPeakBytes">,
      ) => [
        formatMemory(what.memoryLimitBytes),
        memoryCell(what.memoryPeakBytes),
        memoryCell(what.anonymousPeakBytes),
      ];
      const timed = [run.scenario, name, outcomeWord(run.outcome, run.memoryLimitBytes), ...cells(run)];
      if (again === null) return [timed];
      const outcome = outcomeWord(again.outcome, again.memoryLimitBytes);
      return [timed, [run.scenario, name, `${outcome}, again with more memory, untimed`, ...cells(again)]];
    }),
  };
}

/** Layers that the registry held before, and bytes over the link. */
export function trafficGrid(image: ImageReport): Grid {
  return {
    head: ["run", "strategy", "hits", "misses", "pulled", "pushed"],
    align: [left, left, right, right, right, right],
    rows: rowsOf(image).map(({ name, run }) => [
      run.scenario,
      name,
      run.hits === "unknown" ? "unknown" : hitsCell(run),
      String(run.misses),
      bytesCell(run.pulledBytes),
      bytesCell(run.pushedBytes),
    ]),
  };
}

function bytesCell(bytes: number | "unknown"): string {
  return bytes === "unknown" ? bytes : formatBytes(bytes);
}

/** Each pipeline of a contributor's fork with all its figures. */
export function forkRunGrid(image: ImageReport): Grid {
  const rows = image.strategies.flatMap((strategy) =>
    strategy.forks.flatMap((fork) =>
      fork.runs.map((run, index) => [
        nameOf(strategy, image),
        fork.upstream,
        index === 0 ? "first" : "second",
        ...forkCells(run),
      ]),
    ),
  );
  return {
    head: [
      "strategy",
      "upstream",
      "pipeline",
      "outcome",
      "build",
      "push",
      "build and push",
      "hits",
      "pulled",
      "pushed",
    ].concat(["fork holds, namespace", "fork holds, per-repository", "refused"]),
    align: [left, left, left, left, right, right, right, right, right, right, right, right, left],
    rows,
  };
}

function forkCells(run: ForkRun): string[] {
  const time = (durationMs: number | "unknown") =>
    durationMs === "unknown" ? durationMs : (spread([durationMs]) ?? "unknown");
  const code = run.outcome === "failed" && run.exitCode !== null ? `, exit ${run.exitCode}` : "";
  const refused = run.denied.map(({ repository, action }) => `${action} ${repository}`);
  return [
    `${FORK_OUTCOMES[run.outcome]}${code}`,
    time(run.buildMs),
    time(run.pushMs),
    time(run.totalMs),
    run.hits === "unknown" || run.misses === "unknown"
      ? "unknown"
      : `${run.hits} of ${run.hits + run.misses}`,
    formatBytes(run.pulledBytes),
    formatBytes(run.pushedBytes),
    formatBytes(run.namespaceBytes),
    formatBytes(run.perRepositoryBytes),
    refused.length === 0 ? "nothing" : [...new Set(refused)].join(", "),
  ];
}

const FORK_OUTCOMES: Record<ForkRun["outcome"], string> = {
  succeeded: "ok",
  failed: "failed",
  "out-of-memory": "killed",
  "timed-out": "timed out",
  canceled: "canceled",
};
